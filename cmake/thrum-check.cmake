# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# thrum_checked(<target>...): for each target one more, <target>_checked: the same sources, compiled
# so that `thrum check` sees all that they do. Libraries that it links and that have a checked twin
# are replaced by it, so name them before what uses them.
#
# thrum_add_check(<name> <target> [ARGUMENTS <argument>...] [OPTIONS <option of thrum check>...])
# adds a test that checks the twin, which it makes if there is none.
include_guard()

# Set by who includes this: the command, and the library that it loads. The functions may be called
# where these variables are not seen, in a folder above.
set_property(GLOBAL PROPERTY THRUM_COMMAND ${THRUM_COMMAND})
set_property(GLOBAL PROPERTY THRUM_CHECK_LIBRARY ${THRUM_CHECK_LIBRARY})

function(thrum_checked)
  get_property(check_library GLOBAL PROPERTY THRUM_CHECK_LIBRARY)
  foreach(target IN LISTS ARGN)
    set(twin ${target}_checked)
    get_target_property(type ${target} TYPE)
    get_target_property(sources ${target} SOURCES)
    get_target_property(folder ${target} SOURCE_DIR)
    list(TRANSFORM sources PREPEND ${folder}/ REGEX "^[^/$]")
    if(type STREQUAL EXECUTABLE)
      add_executable(${twin} ${sources})
    else()
      add_library(${twin} STATIC ${sources})
    endif()
    foreach(property IN ITEMS COMPILE_DEFINITIONS COMPILE_FEATURES COMPILE_OPTIONS CXX_STANDARD
            CXX_EXTENSIONS C_STANDARD INCLUDE_DIRECTORIES LINK_DIRECTORIES LINK_OPTIONS
            INTERFACE_COMPILE_DEFINITIONS INTERFACE_COMPILE_FEATURES INTERFACE_INCLUDE_DIRECTORIES)
      get_target_property(value ${target} ${property})
      if(value)
        set_target_properties(${twin} PROPERTIES ${property} "${value}")
      endif()
    endforeach()
    foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(libraries ${target} ${property})
      set(replaced "")
      if(NOT libraries)
        continue()
      endif()
      foreach(library IN LISTS libraries)
        set(real ${library})
        if(TARGET ${library})
          get_target_property(aliased ${library} ALIASED_TARGET)
          if(aliased)
            set(real ${aliased})
          endif()
        endif()
        if(TARGET ${real}_checked)
          set(real ${real}_checked)
        endif()
        list(APPEND replaced ${real})
      endforeach()
      set_property(TARGET ${twin} PROPERTY ${property} ${replaced})
    endforeach()
    # For the compiler only: the linker would add the thread sanitizer's own runtime.
    target_compile_options(${twin} PRIVATE -fsanitize=thread -g
      $<$<OR:$<C_COMPILER_ID:GNU>,$<CXX_COMPILER_ID:GNU>>:-Wno-tsan>)
    target_link_libraries(${twin} PUBLIC ${check_library})
  endforeach()
endfunction()

function(thrum_add_check name target)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "ARGUMENTS;OPTIONS")
  get_property(command GLOBAL PROPERTY THRUM_COMMAND)
  if(NOT TARGET ${target}_checked)
    thrum_checked(${target})
  endif()
  add_test(NAME ${name}
    COMMAND ${command} check ${arg_OPTIONS} -- $<TARGET_FILE:${target}_checked> ${arg_ARGUMENTS})
endfunction()
