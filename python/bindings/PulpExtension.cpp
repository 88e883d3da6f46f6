// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The PULP cluster simulator in Python: `tinyformer._pulp`. Without MLIR.

#include "TinyFormer/Simulator/Cluster.h"
#include "TinyFormer/Simulator/Fault.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace tinyformer::pulp;

namespace {

/// A program and the cluster that it was loaded into.
class Machine {
public:
  Machine(nb::bytes elf, const std::string &chip, unsigned cores,
          uint32_t l1Bytes, bool instructionCache, bool contention,
          bool raceDetector, uint32_t raceGranule, uint64_t cycleLimit,
          const std::string &measure, const std::string &layersOf)
      : program(std::string_view(elf.c_str(), elf.size())),
        cluster(program, makeConfig(chip, cores, l1Bytes, instructionCache,
                                    contention, raceDetector, raceGranule,
                                    cycleLimit, measure, layersOf)) {}

  void run() {
    // The sink may refer to this object: a cycle that Python cannot see.
    struct DropTrace {
      Cluster &cluster;
      ~DropTrace() { cluster.trace = nullptr; }
    } dropTrace{cluster};
    // Between slices, an interrupt of the user's is heard.
    constexpr uint64_t slice = 20'000'000;
    for (bool isDone = false; !isDone;) {
      if (PyErr_CheckSignals() != 0)
        throw nb::python_error();
      if (cluster.trace) {
        isDone = cluster.run(slice);
      } else {
        nb::gil_scoped_release release;
        isDone = cluster.run(slice);
      }
    }
  }

  void setTrace(nb::callable sink) {
    cluster.trace = [sink = std::move(sink)](std::string_view line) {
      sink(nb::str(line.data(), line.size()));
    };
  }

  nb::bytes read(uint32_t address, uint32_t size) {
    std::string bytes(size, '\0');
    cluster.read(address, reinterpret_cast<uint8_t *>(bytes.data()), size);
    return nb::bytes(bytes.data(), bytes.size());
  }

  void write(uint32_t address, nb::bytes bytes) {
    cluster.write(address, reinterpret_cast<const uint8_t *>(bytes.c_str()),
                  uint32_t(bytes.size()));
  }

  nb::object symbol(const std::string &name) const {
    const auto address = program.symbol(name);
    return address ? nb::cast(*address) : nb::none();
  }

  /// A dictionary for each core that ran, the fabric controller last.
  nb::list coreReports() const {
    const Report report = cluster.report();
    nb::list all;
    for (unsigned index = 0; index < coreSlots; ++index)
      if (cluster.core(index).state != CoreState::Off)
        all.append(coreReport(cluster.core(index), report.counters[index]));
    return all;
  }

  Program program;
  Cluster cluster;

private:
  static ClusterConfig makeConfig(const std::string &chip, unsigned cores,
                                  uint32_t l1Bytes, bool instructionCache,
                                  bool contention, bool raceDetector,
                                  uint32_t raceGranule, uint64_t cycleLimit,
                                  const std::string &measure,
                                  const std::string &layersOf) {
    ClusterConfig config = configFor(chip);
    config.cores = cores;
    if (l1Bytes != 0)
      config.l1Bytes = l1Bytes;
    config.instructionCache = instructionCache;
    config.contention = contention;
    config.raceDetector = raceDetector;
    config.raceGranule = raceGranule;
    config.cycleLimit = cycleLimit;
    config.measure = measure;
    config.layersOf = layersOf;
    return config;
  }

  /// The name of a function by number; empty for what is in none.
  nb::str nameOf(size_t number) const {
    const auto &functions = program.functions();
    return nb::str(number < functions.size() ? functions[number].name.c_str()
                                             : "");
  }

  nb::dict byFunction(const std::vector<uint64_t> &cycles) const {
    nb::dict names;
    for (size_t i = 0; i < cycles.size(); ++i)
      if (cycles[i] != 0)
        names[nameOf(i)] = cycles[i];
    return names;
  }

  nb::dict
  byLayer(const std::vector<std::vector<uint64_t>> &layerCycles) const {
    nb::dict names;
    for (size_t i = 0; i < layerCycles.size(); ++i)
      if (!layerCycles[i].empty())
        names[nameOf(i)] = byFunction(layerCycles[i]);
    return names;
  }

  nb::dict coreReport(const Core &core, const Counters &counters) const {
    nb::dict report, events;
    for (unsigned i = 0; i < eventCount; ++i)
      events[eventName(Event(i))] = counters.events[i];
    report["name"] = core.name();
    report["hart"] = core.hart();
    report["events"] = events;
    report["functions"] = byFunction(counters.functionCycles);
    report["layers"] = byLayer(counters.layerCycles);
    report["misaligned"] = byFunction(counters.functionMisaligned);
    report["stack_bytes"] = core.stackBytes();
    return report;
  }
};

nb::list instructions() {
  nb::list rows;
  for (const InstructionInfo &row : instructionTable())
    rows.append(nb::make_tuple(row.mnemonic, row.match, row.mask));
  return rows;
}

std::string disassembleWord(uint32_t word, uint32_t pc) {
  return disassemble(decode(word, pc));
}

} // namespace

NB_MODULE(_pulp, m) {
  m.doc() = "The PULP cluster simulator";

  nb::exception<SimulationFault>(m, "SimulationError", PyExc_RuntimeError);

  m.def("instructions", &instructions,
        "(mnemonic, match, mask) of every instruction.");
  m.def("disassemble", &disassembleWord, "word"_a, "pc"_a = 0,
        "An instruction as text; a compressed one is in the low half.");

  nb::class_<Machine>(m, "Machine")
      .def(nb::init<nb::bytes, const std::string &, unsigned, uint32_t, bool,
                    bool, bool, uint32_t, uint64_t, const std::string &,
                    const std::string &>(),
           "elf"_a, nb::kw_only(), "chip"_a = "gap9", "cores"_a = 8,
           "l1_bytes"_a = 0, "instruction_cache"_a = true,
           "contention"_a = true, "race_detector"_a = true,
           "race_granule"_a = 4, "cycle_limit"_a = uint64_t(10'000'000'000),
           "measure"_a = "", "layers_of"_a = "",
           "Loads an ELF executable; l1_bytes 0 is the chip's own size.")
      .def("run", &Machine::run, "Runs until the program says it is done.")
      .def("set_trace", &Machine::setTrace, "sink"_a,
           "Calls `sink` with a line for each instruction.")
      .def("read", &Machine::read, "address"_a, "size"_a)
      .def("write", &Machine::write, "address"_a, "data"_a)
      .def("symbol", &Machine::symbol, "name"_a,
           "The address of a symbol, or None.")
      .def("core_reports", &Machine::coreReports)
      .def_prop_ro("cycles",
                   [](const Machine &m) { return m.cluster.report().cycles; })
      .def_prop_ro("was_measured",
                   [](const Machine &m) { return m.cluster.wasMeasured(); })
      .def_prop_ro("output", [](const Machine &m) { return m.cluster.output; })
      .def_prop_ro("exit_code",
                   [](const Machine &m) { return m.cluster.exitCode(); })
      .def_prop_ro("l1_bytes", [](const Machine &m) {
        return m.cluster.configuration().l1Bytes;
      });
}
