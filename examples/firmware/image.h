// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image 3 of ../digits/test.npz, which shows a 7: 8x8 grey values from 0
// to 16.

#ifndef IMAGE_H
#define IMAGE_H

#include <stdint.h>

static const uint8_t image[64] = {
    0, 0, 0, 8,  16, 16, 16, 6, 0, 0, 6, 14, 5,  8,  16, 2,
    0, 0, 7, 4,  0,  6,  12, 0, 0, 0, 0, 0,  0,  12, 6,  0,
    0, 0, 0, 11, 16, 16, 10, 0, 0, 0, 0, 12, 16, 8,  0,  0,
    0, 0, 0, 6,  16, 0,  0,  0, 0, 0, 0, 12, 9,  0,  0,  0,
};

#endif
