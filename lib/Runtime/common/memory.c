// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memcpy, memmove and memset without a C library, and the names under which the
// ARM run-time ABI (IHI 0043, section 4.3.4) makes the compiler call them.
//
// Words are moved where both pointers allow it. Compiled with -fno-builtin, or
// the compiler would recognise these loops and replace them with calls to
// themselves.

#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word_t;

static int aligned(const void *a, const void *b) {
  return (((uintptr_t)a | (uintptr_t)b) & 3) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  uint8_t *d = to;
  const uint8_t *s = from;
  if (aligned(d, s)) {
    for (; size >= 16; size -= 16, d += 16, s += 16) {
      const word_t *sw = (const word_t *)s;
      word_t *dw = (word_t *)d;
      word_t a = sw[0], b = sw[1], c = sw[2], e = sw[3];
      dw[0] = a, dw[1] = b, dw[2] = c, dw[3] = e;
    }
    for (; size >= 4; size -= 4, d += 4, s += 4)
      *(word_t *)d = *(const word_t *)s;
  }
  while (size--)
    *d++ = *s++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to - (uintptr_t)from >= size)
    return memcpy(to, from, size);
  uint8_t *d = to;
  const uint8_t *s = from;
  while (size--)
    d[size] = s[size];
  return to;
}

void *memset(void *to, int value, size_t size) {
  uint8_t *d = to;
  if (aligned(d, d)) {
    word_t word = (uint8_t)value * 0x01010101u;
    for (; size >= 4; size -= 4, d += 4)
      *(word_t *)d = word;
  }
  while (size--)
    *d++ = (uint8_t)value;
  return to;
}

#ifdef __ARM_EABI__

#define COPY(name, function)                                                   \
  void name(void *to, const void *from, size_t size);                          \
  void name(void *to, const void *from, size_t size) {                         \
    function(to, from, size);                                                  \
  }

COPY(__aeabi_memcpy, memcpy)
COPY(__aeabi_memcpy4, memcpy)
COPY(__aeabi_memcpy8, memcpy)
COPY(__aeabi_memmove, memmove)
COPY(__aeabi_memmove4, memmove)
COPY(__aeabi_memmove8, memmove)

// The ABI's memset takes the size before the value.
#define SET(suffix)                                                            \
  void __aeabi_memset##suffix(void *to, size_t size, int value);               \
  void __aeabi_memset##suffix(void *to, size_t size, int value) {              \
    memset(to, value, size);                                                   \
  }                                                                            \
  void __aeabi_memclr##suffix(void *to, size_t size);                          \
  void __aeabi_memclr##suffix(void *to, size_t size) { memset(to, 0, size); }

SET()
SET(4)
SET(8)

#endif
