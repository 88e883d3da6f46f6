// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef STDIO_H
#define STDIO_H
int printf(const char *format, ...);
#endif
