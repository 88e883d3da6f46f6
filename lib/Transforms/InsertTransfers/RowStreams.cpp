// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RowStreams.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Bytes of rows that come or go at a time, and rows that are worth an op.
constexpr int64_t kStreamBytes = 16384, kLeastRows = 4;

MemRefType getType(Value value) { return cast<MemRefType>(value.getType()); }

/// Operands of `op` that are rows, a dimension each: row i of the results needs
/// row i of the inputs. None for other ops.
SmallVector<std::pair<OpOperand *, unsigned>> getRowOperands(Operation *op) {
  SmallVector<std::pair<OpOperand *, unsigned>> rows;
  auto add = [&](OpOperand &operand, unsigned dimension = 0) {
    rows.push_back({&operand, dimension});
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](WordLinearOp op) {
        add(op.getInputMutable());
        unsigned dimension = !op.getHeads() ? 0 : op.getTransposed() ? 2 : 1;
        add(op.getInitsMutable()[0], dimension);
      })
      .Case([&](AddOp op) {
        add(op.getLhsMutable());
        add(op.getRhsMutable());
        add(op.getInitsMutable()[0]);
      })
      .Case<LookupOp, LayernormOp>([&](auto op) {
        add(op.getInputMutable());
        add(op.getInitsMutable()[0]);
      })
      .Case([&](memref::CopyOp op) {
        add(op.getSourceMutable());
        add(op.getTargetMutable());
      });
  bool areRows = llvm::all_of(
      rows, [](auto row) { return getType(row.first->get()).getRank() >= 2; });
  return areRows ? rows : SmallVector<std::pair<OpOperand *, unsigned>>();
}

/// The buffer whose rows, or the first bytes of them, are the operand's.
Value getBuffer(Value operand) {
  auto view = operand.getDefiningOp<memref::SubViewOp>();
  if (!view)
    return operand;
  MemRefType source = view.getSourceType();
  bool isFirst = llvm::all_of(view.getMixedOffsets(), [](OpFoldResult offset) {
    return getConstantIntValue(offset) == 0;
  });
  bool areRows = source.getRank() == 2 && view.hasUnitStride() && isFirst &&
                 view.getType().getRank() == 2 &&
                 view.getType().getDimSize(0) == source.getDimSize(0);
  return areRows ? view.getSource() : operand;
}

bool isRowsOfTwoDimensions(Value buffer) {
  return getType(buffer).getRank() == 2 && isDense(buffer);
}

/// Whether all that touches the buffer takes it by rows, in the function's
/// block.
bool isTakenByRows(Value buffer, Block &home) {
  if (!isRowsOfTwoDimensions(buffer))
    return false;
  auto uses = findUses(buffer);
  return uses && llvm::all_of(*uses, [&](OpOperand *use) {
           if (use->getOwner()->getBlock() != &home ||
               getBuffer(use->get()) != buffer)
             return false;
           return llvm::any_of(getRowOperands(use->getOwner()), [&](auto row) {
             return row.first == use && row.second == 0;
           });
         });
}

/// One op that has rows of far buffers.
class Stream {
public:
  Stream(Operation *op, const llvm::SmallSetVector<Value, 8> &far,
         TransferBuilder &transfers)
      : op(op), operands(getRowOperands(op)), transfers(transfers), b(op) {
    for (auto [operand, dimension] : operands) {
      rows = getType(operand->get()).getDimSize(dimension);
      Value buffer = getBuffer(operand->get());
      if (!far.contains(buffer))
        continue;
      buffers.insert(buffer);
      (isWritten(*operand) ? written : read).insert(buffer);
    }
  }

  void insert() {
    int64_t rowBytes = 0;
    for (Value buffer : buffers)
      rowBytes += getBytes(buffer) / rows;
    int64_t height =
        std::min(rows, std::max<int64_t>(kStreamBytes / rowBytes, 1));
    // One part at work, and another that comes or goes.
    while (height >= kLeastRows &&
           !transfers.take(op, op, 2 * height * rowBytes))
      height /= 2;
    if (height < kLeastRows)
      return;
    // Whole tiles of the kernels.
    height = height / kLeastRows * kLeastRows;
    for (int64_t first = 0; first < rows; first += height)
      addPart(first, std::min(height, rows - first));
    SmallVector<Operation *> ops;
    for (Part &part : parts)
      ops.push_back(part.op);
    transfers.replace(op, ops);
    for (size_t i = 0; i < parts.size(); ++i)
      copy(i);
    transfers.forget(op);
    op->erase();
  }

private:
  struct Part {
    Operation *op;
    /// For each far buffer its rows there and here.
    llvm::SmallMapVector<Value, std::pair<Value, Value>, 4> rows;
  };

  void addPart(int64_t first, int64_t count) {
    Part part{};
    for (Value buffer : buffers) {
      Value far = slice(buffer, 0, first, count);
      part.rows[buffer] = {far, transfers.allocate(far, *op->getBlock())};
    }
    IRMapping rowsOf;
    for (auto [operand, dimension] : operands) {
      Value value = operand->get();
      auto stream = part.rows.find(getBuffer(value));
      rowsOf.map(value, stream == part.rows.end()
                            ? slice(value, dimension, first, count)
                            : cutColumns(stream->second.second,
                                         getType(value).getDimSize(1)));
    }
    b.setInsertionPoint(op);
    part.op = b.clone(*op, rowsOf);
    parts.push_back(part);
  }

  /// Rows of `value` from `first` on, made before the op.
  Value slice(Value value, unsigned dimension, int64_t first, int64_t count) {
    MemRefType type = getType(value);
    SmallVector<int64_t> offsets(type.getRank(), 0), sizes(type.getShape()),
        strides(type.getRank(), 1);
    offsets[dimension] = first;
    sizes[dimension] = count;
    b.setInsertionPoint(op);
    return memref::SubViewOp::create(b, op->getLoc(), value, offsets, sizes,
                                     strides);
  }

  Value cutColumns(Value rows, int64_t width) {
    MemRefType type = getType(rows);
    if (type.getDimSize(1) == width)
      return rows;
    int64_t offsets[] = {0, 0}, sizes[] = {type.getDimSize(0), width},
            strides[] = {1, 1};
    b.setInsertionPointAfterValue(rows);
    return memref::SubViewOp::create(b, op->getLoc(), rows, offsets, sizes,
                                     strides);
  }

  /// What part `index` reads comes beside the part before; what it writes is
  /// gone two parts later, or at the end.
  void copy(size_t index) {
    Part &part = parts[index];
    // The first part may be of rows that have just gone: it comes when they
    // have.
    auto getStart = [&](Value far) {
      return index == 0 ? part.op : transfers.getStart(far, part.op);
    };
    Operation *later = index + 2 < parts.size() ? parts[index + 2].op : op;
    for (Value buffer : buffers) {
      auto [far, near] = part.rows[buffer];
      if (read.contains(buffer))
        transfers.copyIn(far, near, getStart(far), part.op);
      if (written.contains(buffer))
        transfers.copyOut(near, far, part.op, later);
    }
  }

  Operation *op;
  SmallVector<std::pair<OpOperand *, unsigned>> operands;
  TransferBuilder &transfers;
  OpBuilder b;
  int64_t rows = 0;
  llvm::SmallSetVector<Value, 4> buffers;
  llvm::SmallDenseSet<Value, 4> read, written;
  SmallVector<Part> parts;
};

} // namespace

/// Indices of buffers that leave the rest no more than `capacity` bytes at any
/// time, as far as those that may go are enough.
static std::vector<size_t>
chooseFar(const std::vector<tinyformer::Buffer> &buffers,
          const std::vector<bool> &mayGo, uint64_t capacity) {
  unsigned end = 0;
  for (const tinyformer::Buffer &buffer : buffers)
    end = std::max(end, buffer.end + 1);
  std::vector<bool> isGone(buffers.size());
  std::vector<size_t> gone;
  for (unsigned time = 0; time < end; ++time) {
    auto isThere = [&](size_t i) {
      return !isGone[i] && buffers[i].start <= time && time <= buffers[i].end;
    };
    uint64_t bytes = 0;
    for (size_t i = 0; i < buffers.size(); ++i)
      bytes += isThere(i) ? buffers[i].size : 0;
    while (bytes > capacity) {
      std::optional<size_t> largest;
      for (size_t i = 0; i < buffers.size(); ++i)
        if (mayGo[i] && isThere(i) &&
            (!largest || buffers[i].size > buffers[*largest].size))
          largest = i;
      if (!largest)
        break;
      isGone[*largest] = true;
      gone.push_back(*largest);
      bytes -= buffers[*largest].size;
    }
  }
  return gone;
}

/// When an argument would be in the first memory: an input until it is read, a
/// result until the end.
static std::optional<tinyformer::Buffer> getLifetime(BlockArgument argument,
                                                     const Timeline &timeline) {
  auto uses = findUses(argument);
  if (!uses || uses->empty())
    return std::nullopt;
  Block &home = *argument.getOwner();
  tinyformer::Buffer buffer{uint64_t(getBytes(argument)),
                            std::numeric_limits<unsigned>::max(), 0};
  for (OpOperand *use : *uses) {
    Operation *step = home.findAncestorOpInBlock(*use->getOwner());
    auto [first, last] = timeline.getSpan(step);
    buffer.start = std::min(buffer.start, first);
    buffer.end = std::max(buffer.end, last);
    if (isWritten(*use))
      buffer.end = timeline.getSpan(home.getTerminator()).first;
  }
  return buffer;
}

RowStreams::RowStreams(func::FuncOp function, const Timeline &timeline,
                       ArrayRef<Placement> placements, uint64_t capacity)
    : function(function), placements(placements) {
  Block &home = function.front();
  std::vector<tinyformer::Buffer> buffers;
  SmallVector<Value> values;
  std::vector<bool> mayGo;
  auto add = [&](Value value, const tinyformer::Buffer &buffer) {
    values.push_back(value);
    buffers.push_back(buffer);
    mayGo.push_back(isTakenByRows(value, home));
  };
  for (const Placement &placement : placements)
    add(memref::AllocOp(placement.alloc).getResult(), placement.buffer);
  for (BlockArgument argument : function.getArguments())
    if (auto buffer = getLifetime(argument, timeline))
      add(argument, *buffer);
  for (size_t index : chooseFar(buffers, mayGo, capacity))
    far.insert(values[index]);
}

std::vector<tinyformer::Buffer> RowStreams::getNearBuffers() const {
  std::vector<tinyformer::Buffer> buffers;
  for (const Placement &placement : placements)
    if (!far.contains(memref::AllocOp(placement.alloc).getResult()))
      buffers.push_back(placement.buffer);
  return buffers;
}

void RowStreams::insert(TransferBuilder &transfers) {
  if (far.empty())
    return;
  SmallVector<Operation *> ops;
  for (Operation &op : function.front()) {
    if (!hasFarRows(&op))
      continue;
    ops.push_back(&op);
    // What nothing else takes needs not be here as a whole, either.
    for (auto [operand, dimension] : getRowOperands(&op)) {
      auto argument = dyn_cast<BlockArgument>(getBuffer(operand->get()));
      if (argument && argument.hasOneUse() &&
          isTakenByRows(argument, function.front()))
        far.insert(argument);
    }
  }
  for (Operation *op : ops)
    Stream(op, far, transfers).insert();
}

bool RowStreams::hasFarRows(Operation *op) const {
  return llvm::any_of(getRowOperands(op), [&](auto row) {
    return far.contains(getBuffer(row.first->get()));
  });
}
