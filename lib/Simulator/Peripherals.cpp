// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The registers of the cluster and the SoC.

#include "TinyFormer/Simulator/Cluster.h"
#include "TinyFormer/Simulator/Fault.h"
#include "TinyFormer/Simulator/Timing.h"

using namespace tinyformer::pulp;

namespace {

struct Range {
  uint32_t begin;
  uint32_t end;
  bool contains(uint32_t address) const {
    return begin <= address && address < end;
  }
};

constexpr Range clusterControl{0x10200000, 0x10200400};
constexpr Range cacheControl{0x10201400, 0x10201800};
constexpr Range clusterPeripherals{0x10200000, 0x10204000};
constexpr Range eventDemux{0x10204000, 0x10204400};
constexpr Range dmaDemux{0x10204400, 0x10204800};
constexpr Range apb{0x1a100000, 0x1a110000};
constexpr Range standardOutput{0x1a10f000, 0x1a110000};
constexpr uint32_t coreStatus = 0x1a1040a0;
constexpr uint32_t fabricCacheControl = 0x1a108800;

constexpr uint32_t fetchEnable = 0x08;
constexpr uint32_t firstBootAddress = 0x40;
constexpr uint32_t statusIsFinal = 0x80000000;

/// Runs `access` and says which core made it if it fails.
template <class Access> auto asCore(const Core &core, Access access) {
  try {
    return access();
  } catch (const SimulationFault &fault) {
    core.fail(fault.what());
  }
}

} // namespace

unsigned Cluster::peripheralLatency(uint32_t address) const {
  if (eventDemux.contains(address) || dmaDemux.contains(address))
    return timing::eventUnitAccess;
  if (clusterPeripherals.contains(address))
    return timing::clusterPeripheralAccess;
  return apb.contains(address) ? timing::apbAccess : 0;
}

uint32_t Cluster::loadPeripheral(Core &core, uint32_t address) {
  if (eventDemux.contains(address) && !core.isFabric())
    return asCore(core, [&] {
      return events.read(core.index, address - eventDemux.begin);
    });
  if (dmaDemux.contains(address)) {
    dma.advance(now);
    return asCore(
        core, [&] { return dma.read(core.index, address - dmaDemux.begin); });
  }
  if (address == clusterControl.begin + fetchEnable)
    core.fail("FETCH_EN at 0x10200008 must not be read: that stops cores on "
              "other models; remember what was written");
  core.fail(message("no register to read at 0x%08x is modelled", address));
}

void Cluster::storePeripheral(Core &core, uint32_t address, uint32_t value) {
  if (standardOutput.contains(address))
    return print(core, address, char(value));
  if (address == coreStatus)
    return exit(value);
  if (address == fabricCacheControl)
    return caches.enableFabric(value & 1);
  if (eventDemux.contains(address) && !core.isFabric())
    return asCore(core, [&] {
      events.write(core.index, address - eventDemux.begin, value);
    });
  if (dmaDemux.contains(address)) {
    asCore(core, [&] {
      dma.write(core.index, address - dmaDemux.begin, value, now);
    });
    return changeSchedule();
  }
  if (address == cacheControl.begin)
    return caches.enableCluster(value & 1);
  if (address == cacheControl.begin + 4)
    return caches.flush();
  if (clusterControl.contains(address))
    return storeClusterControl(core, address - clusterControl.begin, value);
  core.fail(message("no register to write at 0x%08x is modelled", address));
}

void Cluster::storeClusterControl(Core &core, uint32_t offset, uint32_t value) {
  if (offset == fetchEnable)
    return startCores(core, value);
  const uint32_t index = (offset - firstBootAddress) / 4;
  if (offset < firstBootAddress || index > maxClusterCores)
    core.fail(message("no register to write at 0x%08x is modelled",
                      clusterControl.begin + offset));
  // The ninth is that of a core that GAP9 has and this cluster has not.
  if (value % 2 != 0)
    core.fail(message("boots core %u at the odd address 0x%08x", index, value));
  if (index < maxClusterCores)
    bootAddresses[index] = value;
}

void Cluster::startCores(Core &starter, uint32_t mask) {
  for (unsigned index = 0; index < maxClusterCores; ++index) {
    if ((mask >> index & 1) == 0 || cores[index]->state != CoreState::Off)
      continue;
    if (index >= config.cores)
      starter.fail(message("starts core %u, but the cluster has %u; simulate "
                           "more cores, or link the program for fewer",
                           index, config.cores));
    cores[index]->start(bootAddresses[index],
                        starter.readyAt + timing::clusterPeripheralAccess);
    races.start(starter.index, index);
  }
  changeSchedule();
}

/// Characters come out by lines, so that those of cores do not mix.
void Cluster::print(Core &core, uint32_t address, char character) {
  const uint32_t cluster = (address - standardOutput.begin) >> 7;
  const uint32_t expected = core.isFabric()
                                ? standardOutput.begin + (31 << 7)
                                : standardOutput.begin + core.index * 8;
  if (address != expected)
    core.fail(message("prints to 0x%08x (cluster %u), but its own register is "
                      "0x%08x",
                      address, cluster, expected));
  std::string &line = lines[core.index];
  line += character;
  if (character != '\n')
    return;
  output += line;
  line.clear();
}

void Cluster::exit(uint32_t value) {
  hasExited = true;
  changeSchedule();
  status = value & ~statusIsFinal;
  for (std::string &line : lines)
    output += line;
}
