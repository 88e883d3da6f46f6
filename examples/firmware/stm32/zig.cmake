# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Clang out of the Python package `ziglang`, which TinyFormer brings. -DZIG=path of its binary.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG)
find_program(ZIG zig REQUIRED)

set(CMAKE_C_COMPILER ${ZIG} cc)
set(CMAKE_C_COMPILER_TARGET thumb-freestanding-eabihf)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex_m4+vfp4d16sp -fno-sanitize=all -fno-stack-protector -g0")
