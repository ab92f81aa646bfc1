# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/thrum-targets.cmake)
