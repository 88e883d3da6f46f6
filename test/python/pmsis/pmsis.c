// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PMSIS on the simulator's runtime. The application has functions of the same
// names as that runtime, so the runtime's own are called sim_... here (see
// test_example_firmware.py).

#include "pmsis.h"
#include "stdio.h"

uint32_t sim_core_id(void);
void sim_cluster_fork(uint32_t cores, void (*work)(void *), void *arguments);
void sim_barrier(void);
uint32_t sim_dma_to_l1(void *l1, const void *l2, uint32_t bytes);
uint32_t sim_dma_to_l2(void *l2, const void *l1, uint32_t bytes);
void sim_dma_wait(uint32_t transfer);
void tf_print(const char *text);
void tf_print_number(int32_t value);
_Noreturn void tf_exit(int status);

int pi_core_id(void) { return (int)sim_core_id(); }

void pi_cl_team_fork(int nb_cores, void (*entry)(void *), void *arg) {
  sim_cluster_fork((uint32_t)nb_cores, entry, arg);
}

void pi_cl_team_barrier(void) { sim_barrier(); }

void pi_cl_dma_memcpy(pi_cl_dma_copy_t *copy) {
  void *loc = (void *)copy->loc, *ext = (void *)copy->ext;
  copy->id = copy->dir == PI_CL_DMA_DIR_EXT2LOC
                 ? sim_dma_to_l1(loc, ext, copy->size)
                 : sim_dma_to_l2(ext, loc, copy->size);
}

void pi_cl_dma_wait(void *copy) {
  sim_dma_wait(((pi_cl_dma_copy_t *)copy)->id);
}

void pi_cluster_conf_init(struct pi_cluster_conf *conf) { conf->id = 0; }

void pi_open_from_conf(struct pi_device *device, void *conf) {
  device->config = conf;
}

int pi_cluster_open(struct pi_device *device) { return device->config == NULL; }

int pi_cluster_close(struct pi_device *device) {
  device->config = NULL;
  return 0;
}

struct pi_cluster_task *pi_cluster_task(struct pi_cluster_task *task,
                                        void (*entry)(void *), void *arg) {
  task->entry = entry;
  task->arg = arg;
  return task;
}

// This already is core 0 of the cluster.
int pi_cluster_send_task_to_cl(struct pi_device *device,
                               struct pi_cluster_task *task) {
  if (device->config == NULL)
    return -1;
  task->entry(task->arg);
  return 0;
}

static __attribute__((section(".l1.bss"), aligned(4))) uint8_t heap[16 * 1024];

// At an odd word, so that the application's own alignment is needed.
void *pi_l1_malloc(struct pi_device *device, uint32_t size) {
  return device->config != NULL && size + 4 <= sizeof heap ? heap + 4 : NULL;
}

void pi_l1_free(struct pi_device *device, void *chunk, int size) {
  (void)device, (void)chunk, (void)size;
}

int pmsis_kickoff(void *entry) {
  ((void (*)(void))entry)();
  return 0;
}

void pmsis_exit(int status) { tf_exit(status); }

// Knows %d alone.
int printf(const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  for (; *format != 0; ++format) {
    if (format[0] == '%' && format[1] == 'd') {
      tf_print_number(__builtin_va_arg(arguments, int));
      ++format;
      continue;
    }
    const char text[2] = {*format, 0};
    tf_print(text);
  }
  __builtin_va_end(arguments);
  return 0;
}
