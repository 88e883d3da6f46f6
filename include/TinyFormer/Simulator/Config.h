// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What of the cluster can be chosen, and what cannot: its addresses.

#ifndef TINYFORMER_SIMULATOR_CONFIG_H
#define TINYFORMER_SIMULATOR_CONFIG_H

#include <cstdint>
#include <string>

namespace tinyformer::pulp {

constexpr unsigned maxClusterCores = 8;
/// The fabric controller's number among the simulated cores and its mhartid.
constexpr unsigned fabricIndex = maxClusterCores;
constexpr unsigned coreSlots = maxClusterCores + 1;
constexpr uint32_t fabricHart = 0x3e0;

constexpr unsigned bankCount = 16;

constexpr uint32_t l1Base = 0x10000000;
constexpr uint32_t testAndSetBase = 0x10100000;
constexpr uint32_t l2Base = 0x1c000000;
/// Two private banks of 32 KiB and the shared 1.5 MiB, without a gap.
constexpr uint32_t l2Bytes = 0x10000 + 0x180000;

/// The local alias of L1 begins at 0. It is not mapped, so that a null pointer
/// is an error.
constexpr uint32_t nullPageBytes = 0x1000;

struct ClusterConfig {
  std::string chip = "gap9";
  unsigned cores = maxClusterCores;
  uint32_t l1Bytes = 128 * 1024;
  bool instructionCache = true;
  bool contention = true;
  bool raceDetector = true;
  /// Accesses conflict if they touch the same block of so many bytes.
  uint32_t raceGranule = 4;
  uint64_t cycleLimit = 10'000'000'000;
  /// Count only between entry and return of this function; empty: everything.
  std::string measure;
  /// Functions that this one calls are layers; empty: no layers.
  std::string layersOf;
};

/// The configuration of "gap9" or "pulp-open"; throws std::invalid_argument.
ClusterConfig configFor(const std::string &chip);

/// The same configuration; throws std::invalid_argument for what the model does
/// not have.
const ClusterConfig &checkConfig(const ClusterConfig &config);

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_CONFIG_H
