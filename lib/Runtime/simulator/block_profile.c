// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hooks of the Cortex-M simulator, in C because a Python callback takes a
// microsecond and a network executes ten million basic blocks.
//
// The block hook counts how often control went from one block to another on
// behalf of which layer, and the instructions executed, and stops the emulation
// when there were too many. The entry functions call the layers: what they
// enter is a layer, and all that runs until control is back in them, at any
// depth of calls, runs for that layer.
// With wait states it also counts what misses the caches of the flash, as
// docs/simulators.md describes them. The memory hooks count unaligned accesses
// and flash reads that miss.
// python/tinyformer/simulators/block_profile.py has the same structures.

#include <stdint.h>

typedef struct {
  uint32_t from_layer;   // the layer that the block before ran for, 0 for none
  uint32_t from;         // address of the block before, 0 for none
  uint32_t to;           // address of this block
  uint32_t size;         // bytes of code of this block
  uint32_t to_layer;     // the layer that this block runs for, 0 for none
  uint32_t instructions; // instructions in this block
  uint64_t count;
  uint64_t missed_jumps; // flash words of code that were not cached, behind a
                         // jump
  uint64_t missed_next;  // the same behind the word before
  uint64_t missed_data;  // flash words that this block read
} edge_t;

// A cache of flash words: lines of four, the least recently used is replaced.
enum { FLASH_WORD = 8, CACHE_LINE = 32, CACHE_LINES = 32 };

typedef struct {
  uint32_t tag;   // number of the line in memory + 1, 0 for none
  uint32_t words; // bit mask of the words that are there
  uint64_t used;  // when
} cache_line_t;

typedef struct {
  cache_line_t lines[CACHE_LINES];
  uint64_t clock;
  uint64_t size; // lines that this cache has
} cache_t;

typedef struct {
  uint32_t base;
  uint32_t size;
} range_t;

// The function that the caller of the network calls, and the one in which the
// compiler's calls of the layers are.
enum { ENTRY_FUNCTIONS = 2 };

typedef struct {
  uint32_t pc;     // of the instruction
  uint32_t size;   // bytes, 0 for an entry that is not in use
  uint32_t offset; // of the address in its word: 1, 2 or 3
  uint32_t is_store;
  uint64_t count;
} unaligned_t;

typedef struct {
  edge_t *edges; // open-addressed hash table
  unaligned_t *unaligned;
  const uint8_t *code;   // copy of the executable memory
  uint64_t instructions; // executed so far
  uint64_t limit;        // of instructions
  int (*stop)(void *engine);
  int (*read_register)(void *engine, int number, void *value);
  edge_t *current; // into the block that is executed
  cache_t code_cache;
  cache_t data_cache;
  uint32_t wait_states; // 0: nothing is counted for the caches
  uint32_t fetched;     // address of the flash word fetched last
  uint32_t mask;        // entries in the table - 1
  uint32_t used;        // entries in use
  uint32_t previous;    // address of the block before
  uint32_t layer;       // address of the layer that it ran for, 0 for none
  uint32_t in_entry;    // 1 if it was in an entry function
  range_t entry[ENTRY_FUNCTIONS];
  uint32_t code_base;
  uint32_t code_size;
  uint32_t unaligned_size; // entries in that table
  uint32_t
      table_full; // 1 when the run was stopped because a table was too full
} profile_t;

// Thumb: a first halfword of 0b11101, 0b11110 or 0b11111 starts an instruction
// of 32 bits (ARMv7-M ARM, A5.1).
static uint32_t count_instructions(const profile_t *p, uint32_t address,
                                   uint32_t size) {
  uint32_t start = address - p->code_base;
  if (start > p->code_size || size > p->code_size - start)
    return 0;
  uint32_t count = 0;
  for (uint32_t i = start; i < start + size; count++)
    i += p->code[i + 1] >= 0xE8 ? 4 : 2;
  return count;
}

static int in_entry_function(const profile_t *p, uint32_t address) {
  for (int i = 0; i < ENTRY_FUNCTIONS; i++)
    if (address - p->entry[i].base < p->entry[i].size)
      return 1;
  return 0;
}

// The layer of a block outside of the entry functions.
static uint32_t layer_of(const profile_t *p, uint32_t address) {
  return p->in_entry ? address : p->layer;
}

static uint32_t hash(uint32_t layer, uint32_t from, uint32_t to,
                     uint32_t mask) {
  uint64_t key = (((uint64_t)from << 32) | to) + layer * 0xD6E8FEB86659FD93u;
  return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 40) & mask;
}

static edge_t *find_edge(profile_t *p, uint32_t to, uint32_t size,
                         uint32_t to_layer) {
  uint32_t i = hash(p->layer, p->previous, to, p->mask);
  for (;; i = (i + 1) & p->mask) {
    edge_t *e = &p->edges[i];
    if (e->to == to && e->from == p->previous && e->from_layer == p->layer &&
        e->size == size)
      return e;
    if (e->size != 0)
      continue;
    p->used++;
    *e = (edge_t){.from_layer = p->layer,
                  .from = p->previous,
                  .to = to,
                  .size = size,
                  .to_layer = to_layer,
                  .instructions = count_instructions(p, to, size)};
    return e;
  }
}

// Whether the cache has the word at the address; it has it then.
static int is_cached(cache_t *c, uint32_t address) {
  uint32_t tag = address / CACHE_LINE + 1;
  uint32_t word = 1u << (address / FLASH_WORD % (CACHE_LINE / FLASH_WORD));
  cache_line_t *oldest = &c->lines[0];
  c->clock++;
  for (uint64_t i = 0; i < c->size; i++) {
    cache_line_t *line = &c->lines[i];
    if (line->tag == tag) {
      int hit = (line->words & word) != 0;
      line->words |= word;
      line->used = c->clock;
      return hit;
    }
    if (line->used < oldest->used)
      oldest = line;
  }
  *oldest = (cache_line_t){tag, word, c->clock};
  return 0;
}

static void fetch(profile_t *p, edge_t *e) {
  uint32_t first = e->to - e->to % FLASH_WORD;
  for (uint32_t word = first; word < e->to + e->size; word += FLASH_WORD) {
    if (word == p->fetched)
      continue;
    int next = word == p->fetched + FLASH_WORD;
    p->fetched = word;
    if (is_cached(&p->code_cache, word))
      continue;
    if (next)
      e->missed_next++;
    else
      e->missed_jumps++;
  }
}

void tf_count_block(void *engine, uint64_t address, uint32_t size,
                    profile_t *p);
void tf_count_flash_read(void *engine, int type, uint64_t address, int size,
                         int64_t value, profile_t *p);
void tf_count_unaligned(void *engine, int type, uint64_t address, int size,
                        int64_t value, profile_t *p);

void tf_count_block(void *engine, uint64_t address, uint32_t size,
                    profile_t *p) {
  if (p->used > p->mask - p->mask / 4) {
    p->table_full = 1;
    p->stop(engine);
    return;
  }
  uint32_t to = (uint32_t)address;
  int in_entry = in_entry_function(p, to);
  uint32_t layer = in_entry ? 0 : layer_of(p, to);
  edge_t *e = find_edge(p, to, size, layer);
  e->count++;
  p->current = e;
  if (p->wait_states)
    fetch(p, e);
  p->instructions += e->instructions;
  p->previous = to;
  p->layer = layer;
  p->in_entry = (uint32_t)in_entry;
  if (p->instructions > p->limit)
    p->stop(engine);
}

void tf_count_flash_read(void *engine, int type, uint64_t address, int size,
                         int64_t value, profile_t *p) {
  (void)engine, (void)type, (void)size, (void)value;
  uint32_t from = (uint32_t)address;
  if (from - p->code_base >= p->code_size || !p->current)
    return;
  if (!is_cached(&p->data_cache, from))
    p->current->missed_data++;
}

// unicorn/unicorn.h and unicorn/arm.h of version 2.
enum { UC_MEM_WRITE = 17, UC_ARM_REG_PC = 11 };

static unaligned_t *find_unaligned(profile_t *p, uint32_t pc, uint32_t size,
                                   uint32_t offset) {
  for (uint32_t i = 0; i < p->unaligned_size; i++) {
    unaligned_t *u = &p->unaligned[(pc / 2 + i) % p->unaligned_size];
    if (u->size == 0)
      *u = (unaligned_t){pc, size, offset, 0, 0};
    if (u->pc == pc && u->size == size && u->offset == offset)
      return u;
  }
  return 0;
}

void tf_count_unaligned(void *engine, int type, uint64_t address, int size,
                        int64_t value, profile_t *p) {
  (void)value;
  uint32_t offset = (uint32_t)address & ((size < 4 ? (uint32_t)size : 4) - 1);
  if (offset == 0)
    return;
  uint32_t pc = 0;
  p->read_register(engine, UC_ARM_REG_PC, &pc);
  unaligned_t *u = find_unaligned(p, pc, (uint32_t)size, offset);
  if (!u) {
    p->table_full = 1;
    p->stop(engine);
    return;
  }
  u->is_store = type == UC_MEM_WRITE;
  u->count++;
}
