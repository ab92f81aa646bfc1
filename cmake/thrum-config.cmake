# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/thrum-targets.cmake)

# thrum_checked() and thrum_add_check(), if the tools were installed too.
find_program(THRUM_COMMAND thrum HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin
  ${CMAKE_CURRENT_LIST_DIR}/../../../../bin NO_DEFAULT_PATH)
find_library(THRUM_CHECK_LIBRARY thrum_check HINTS ${CMAKE_CURRENT_LIST_DIR}/../../thrum
  NO_DEFAULT_PATH)
mark_as_advanced(THRUM_COMMAND THRUM_CHECK_LIBRARY)
if(THRUM_COMMAND AND THRUM_CHECK_LIBRARY)
  include(${CMAKE_CURRENT_LIST_DIR}/thrum-check.cmake)
endif()
