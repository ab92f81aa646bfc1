# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# Writes TARGET, if it would change.
cmake_path(GET SOURCE PARENT_PATH folder)
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
  WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT COMMIT)
  set(COMMIT "no commit")
endif()
configure_file(${SOURCE} ${TARGET} @ONLY)
