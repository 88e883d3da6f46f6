// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As much of PMSIS as examples/firmware/gap9 and tf_pmsis.h call, with the
// types of the SDKs; pmsis.c makes it of the simulator's runtime.

#ifndef PMSIS_H
#define PMSIS_H

#include <stddef.h>
#include <stdint.h>

#define PI_L1 __attribute__((section(".l1.data")))
#define PI_L2

typedef enum {
  PI_CL_DMA_DIR_LOC2EXT = 0,
  PI_CL_DMA_DIR_EXT2LOC = 1,
} pi_cl_dma_dir_e;

typedef struct pi_cl_dma_copy_s {
  uint32_t ext;
  uint32_t loc;
  uint32_t id;
  uint16_t size;
  pi_cl_dma_dir_e dir;
  uint8_t merge;
} pi_cl_dma_copy_t;

struct pi_device {
  void *config;
};
struct pi_cluster_conf {
  int id;
};
struct pi_cluster_task {
  void (*entry)(void *);
  void *arg;
};

int pi_core_id(void);
void pi_cl_team_fork(int nb_cores, void (*entry)(void *), void *arg);
void pi_cl_team_barrier(void);
void pi_cl_dma_memcpy(pi_cl_dma_copy_t *copy);
void pi_cl_dma_wait(void *copy);

void pi_cluster_conf_init(struct pi_cluster_conf *conf);
void pi_open_from_conf(struct pi_device *device, void *conf);
int pi_cluster_open(struct pi_device *device);
int pi_cluster_close(struct pi_device *device);
struct pi_cluster_task *pi_cluster_task(struct pi_cluster_task *task,
                                        void (*entry)(void *), void *arg);
int pi_cluster_send_task_to_cl(struct pi_device *device,
                               struct pi_cluster_task *task);
void *pi_l1_malloc(struct pi_device *device, uint32_t size);
void pi_l1_free(struct pi_device *device, void *chunk, int size);
int pmsis_kickoff(void *entry);
void pmsis_exit(int status);

#endif
