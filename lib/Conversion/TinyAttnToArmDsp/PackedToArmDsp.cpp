// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each op on panels as a kernel for a pair of rows, and calls of it for all
// pairs and heads.

#include "PackedToArmDsp.h"

#include "PackKernel.h"
#include "ProductKernel.h"
#include "SoftmaxKernel.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Steps of a single row that are unrolled at most: it is computed once, so
/// that it is worth less code.
constexpr int64_t kRowUnroll = 9;

int64_t getDim(Value value, unsigned dimension) {
  return cast<ShapedType>(value.getType()).getDimSize(dimension);
}

/// The rows of a left panel, which repeats the last of an odd number.
int64_t getRows(int64_t pairs, bool isOdd) { return 2 * pairs - isOdd; }

int64_t getWords(PanelForm form) { return form == PanelForm::Joint ? 1 : 2; }

/// A memref with its address, its strides in bytes.
struct Buffer {
  Value address;
  SmallVector<int64_t> strides;
};

Buffer getBuffer(LayerBuilder &b, Value memRef) {
  Buffer buffer{b.getAddress(memRef), *getStaticStrides(memRef)};
  int64_t bytes =
      cast<MemRefType>(memRef.getType()).getElementTypeBitWidth() / 8;
  for (int64_t &stride : buffer.strides)
    stride *= bytes;
  return buffer;
}

class Lowering {
public:
  Lowering(Operation *op, ArmDspLowering &shared)
      : b(op->getLoc(), op), shared(shared) {}

  LogicalResult lower(PackRowsOp op);
  LogicalResult lower(PackColumnsOp op);
  LogicalResult lower(PackedLinearOp op);
  LogicalResult lower(PackedScoresOp op);
  LogicalResult lower(PackedSoftmaxOp op);
  LogicalResult lower(PackedContextOp op);

private:
  /// The steps in front of the loop are a copy of it where they are as many:
  /// one fewer in the loop leaves a few of them.
  /// A loop that runs once is none. The steps in front of one are a copy of it
  /// where they are as many: one fewer in the loop leaves a few of them.
  int64_t getUnroll(int64_t steps, int64_t most) const {
    int64_t unroll = std::min(most, shared.unroll);
    if (unroll > 1 && steps < 2 * unroll)
      return steps;
    return unroll > 1 && steps % unroll == 0 ? unroll - 1 : unroll;
  }
  int64_t getUnroll(int64_t steps) const {
    return getUnroll(steps, shared.unroll);
  }

  LogicalResult pack(Value input, Value panel, PackKernel::Kind kind);

  template <typename Kernel>
  func::FuncOp get(const Kernel &kernel, unsigned arguments) {
    return shared.get(b.getLoc(), kernel, arguments);
  }

  /// Calls `body` for all pairs of `rows`, with the distance in bytes from one
  /// row of the pair to the other, which is none in the last of an odd number.
  void forRowPairs(int64_t rows, int64_t rowBytes,
                   llvm::function_ref<void(Value pair, int64_t)> body) {
    b.forEach(rows / 2, [&](Value pair) { body(pair, rowBytes); });
    if (rows % 2 != 0)
      body(b.index(rows / 2), 0);
  }

  /// Calls `body` for all pairs of `rows` with the kernel of two rows, and for
  /// the last of an odd number with that of one.
  void forProducts(
      int64_t rows, ProductKernel product,
      llvm::function_ref<void(const ProductKernel &, func::FuncOp, Value pair)>
          body) {
    auto run = [&](Value pair) {
      body(product, get(product, product.getNumArguments()), pair);
    };
    b.forEach(rows / 2, run);
    if (rows % 2 == 0)
      return;
    product.rows = 1;
    product.unroll = getUnroll(product.steps, kRowUnroll);
    run(b.index(rows / 2));
  }

  /// The first of `count` rows from those of number `pair` on, and the others.
  void appendRows(SmallVector<Value> &arguments, Value base, Value pair,
                  int64_t count, int64_t rowBytes) {
    Value first = b.advance(base, pair, 2 * rowBytes);
    for (int64_t row = 0; row < count; ++row)
      arguments.push_back(b.advance(first, row * rowBytes));
  }

  /// multiplier << (32 - shift), what SMMULR multiplies with.
  Value scaleMultiplier(Value multiplier, RequantAttr requant) {
    Value bits = arith::ConstantIntOp::create(b, 32 - requant.getShift(), 32);
    return arith::ShLIOp::create(b, multiplier, bits);
  }

  /// Layouts but `rows`: the address of what pair number `pair` writes.
  Value getPanelDestination(const Buffer &panel, Value pair, PanelLayout layout,
                            PanelForm form) {
    int64_t bytes = layout == PanelLayout::Values ? 4 * getWords(form)
                                                  : panel.strides.front();
    return b.advance(panel.address, pair, bytes);
  }

  LayerBuilder b;
  ArmDspLowering &shared;
};

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

LogicalResult Lowering::pack(Value input, Value panel, PackKernel::Kind kind) {
  if (!isContiguousFrom(input, 1) || !isContiguousFrom(panel, 1))
    return failure();
  int64_t rows = getDim(input, 0);
  func::FuncOp kernel = get(PackKernel{kind, getDim(input, 1)}, 3);
  Buffer source = getBuffer(b, input), target = getBuffer(b, panel);
  forRowPairs(rows, source.strides[0], [&](Value pair, int64_t rowBytes) {
    Value row = b.advance(source.address, pair, 2 * source.strides[0]);
    b.call(kernel, {row, b.advance(row, rowBytes),
                    b.advance(target.address, pair, target.strides[0])});
  });
  return success();
}

LogicalResult Lowering::lower(PackRowsOp op) {
  // Unsigned bytes have no kernel that interleaves.
  if (op.getUnsignedInput() && op.getInterleaved())
    return failure();
  return pack(op.getInput(), op.getInits().front(),
              op.getUnsignedInput() ? PackKernel::Unsigned
              : op.getInterleaved() ? PackKernel::Interleaved
                                    : PackKernel::Signed);
}

LogicalResult Lowering::lower(PackColumnsOp op) {
  return pack(op.getInput(), op.getInits().front(),
              op.getForm() == PanelForm::Joint ? PackKernel::Joint
                                               : PackKernel::Signed);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(PackedLinearOp op) {
  Value left = op.getLeft(), weight = op.getWeight();
  Value destination = op.getInits().front();
  PanelLayout layout = op.getLayout();
  bool isRows = layout == PanelLayout::Rows;
  if (!isContiguousFrom(left, 1) || !isContiguousFrom(weight, 1) ||
      !isContiguousFrom(destination, layout == PanelLayout::Values ? 2 : 1))
    return failure();
  std::optional<RequantAttr> requant = op.getRequant();
  PanelForm resultForm = op.getResultForm().value_or(op.getForm());
  Buffer x = getBuffer(b, left), w = getBuffer(b, weight),
         y = getBuffer(b, destination);
  ProductKernel product{shared.dualIssue,
                        /*rows=*/2,
                        getDim(left, 1),
                        isRows ? getDim(destination, 1) : 2 * getDim(weight, 0),
                        op.getForm(),
                        /*biased=*/false,
                        w.strides[0],
                        requant ? Addend::OfColumns : Addend::Nothing,
                        requant ? Multiplier::OfColumns : Multiplier::None,
                        requant ? requant->getZeroPoint() : 0,
                        layout,
                        resultForm,
                        layout == PanelLayout::Values ? y.strides[0] : 0,
                        getUnroll(getDim(left, 1))};
  if (!product.isPossible())
    return failure();
  int64_t rows = isRows ? getDim(destination, 0)
                        : getRows(getDim(left, 0), op.getOddRows());
  forProducts(
      rows, product,
      [&](const ProductKernel &product, func::FuncOp kernel, Value pair) {
        SmallVector<Value> arguments{b.advance(x.address, pair, x.strides[0]),
                                     w.address};
        if (isRows)
          appendRows(arguments, y.address, pair, product.rows, y.strides[0]);
        else
          arguments.push_back(getPanelDestination(y, pair, layout, resultForm));
        b.call(kernel, arguments);
      });
  return success();
}

LogicalResult Lowering::lower(PackedScoresOp op) {
  Value queries = op.getQueries(), keys = op.getKeys();
  Value destination = op.getInits().front();
  if (!isContiguousFrom(queries, 1) || !isContiguousFrom(keys, 1) ||
      !isContiguousFrom(destination, 2) ||
      !isContiguousFrom(op.getMultipliers(), 0))
    return failure();
  int64_t heads = getDim(op.getMultipliers(), 0), rows = getDim(destination, 1);
  int64_t steps = getDim(queries, 1) / heads;
  bool isShared = getDim(keys, 1) == steps;
  bool isJoint = op.getForm() == PanelForm::Joint;
  Buffer q = getBuffer(b, queries), k = getBuffer(b, keys),
         s = getBuffer(b, destination);
  ProductKernel product{shared.dualIssue,
                        /*rows=*/2,
                        steps,
                        op.getColumns(),
                        op.getForm(),
                        /*biased=*/isJoint,
                        k.strides[0],
                        isJoint ? Addend::OfRows : Addend::Nothing,
                        Multiplier::Uniform,
                        op.getRequant().getZeroPoint(),
                        PanelLayout::Rows,
                        op.getForm(),
                        /*resultStride=*/0,
                        getUnroll(steps)};
  if (!product.isPossible())
    return failure();
  b.forEach(heads, [&](Value head) {
    Value loaded = memref::LoadOp::create(b, op.getMultipliers(), head);
    Value multiplier = scaleMultiplier(loaded, op.getRequant());
    Value left = b.advance(q.address, head, 8 * steps);
    Value right = k.address;
    if (!isShared)
      right = b.advance(right, head, 4 * getWords(op.getForm()) * steps);
    Value result = b.advance(s.address, head, s.strides[0]);
    forProducts(
        rows, product,
        [&](const ProductKernel &product, func::FuncOp kernel, Value pair) {
          SmallVector<Value> arguments{b.advance(left, pair, q.strides[0]),
                                       right};
          appendRows(arguments, result, pair, product.rows, s.strides[1]);
          arguments.push_back(multiplier);
          b.call(kernel, arguments);
        });
  });
  return success();
}

LogicalResult Lowering::lower(PackedContextOp op) {
  Value exponentials = op.getExponentials(), values = op.getValues();
  Value destination = op.getInits().front(), sums = op.getRowSums();
  bool isRows = op.getLayout() == PanelLayout::Rows;
  if (!isContiguousFrom(exponentials, 2) || !isContiguousFrom(values, 1) ||
      !isContiguousFrom(destination, 1) || !isContiguousFrom(sums, 0) ||
      !isContiguousFrom(op.getMultipliers(), 0))
    return failure();
  int64_t heads = getDim(exponentials, 0), width = 2 * getDim(values, 0);
  if (!op.getSharedValues())
    width /= heads;
  bool isJoint = op.getForm() == PanelForm::Joint;
  Buffer e = getBuffer(b, exponentials), v = getBuffer(b, values),
         y = getBuffer(b, destination);
  ProductKernel product{shared.dualIssue,
                        /*rows=*/2,
                        getDim(exponentials, 2),
                        width,
                        op.getForm(),
                        /*biased=*/isJoint,
                        v.strides[0],
                        isJoint ? Addend::OfRows : Addend::Nothing,
                        Multiplier::OfRows,
                        op.getRequant().getZeroPoint(),
                        op.getLayout(),
                        op.getForm(),
                        /*resultStride=*/0,
                        getUnroll(getDim(exponentials, 2))};
  if (!product.isPossible())
    return failure();
  int64_t rows = isRows ? getDim(destination, 0)
                        : getRows(getDim(exponentials, 1), op.getOddRows());
  b.forEach(heads, [&](Value head) {
    Value numerator = memref::LoadOp::create(b, op.getMultipliers(), head);
    Value left = b.advance(e.address, head, e.strides[0]);
    Value right = v.address;
    if (!op.getSharedValues())
      right = b.advance(right, head, width / 2 * v.strides[0]);
    Value result = b.advance(y.address, head, isRows ? width : 4 * width);
    forProducts(
        rows, product,
        [&](const ProductKernel &product, func::FuncOp kernel, Value pair) {
          SmallVector<Value> arguments{b.advance(left, pair, e.strides[1]),
                                       right};
          if (isRows)
            appendRows(arguments, result, pair, product.rows, y.strides[0]);
          else
            arguments.push_back(b.advance(result, pair, y.strides[0]));
          SmallVector<Value, 2> addends;
          for (int64_t row = 0; row < product.rows; ++row) {
            Value position = b.advance(b.index(row), pair, 2);
            Value sum =
                memref::LoadOp::create(b, sums, ValueRange{head, position});
            Value ratio = arith::DivUIOp::create(b, numerator, sum);
            arguments.push_back(scaleMultiplier(ratio, op.getRequant()));
            addends.push_back(arith::MulIOp::create(b, sum, b.word(-128)));
          }
          if (isJoint)
            arguments.append(addends);
          b.call(kernel, arguments);
        });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(PackedSoftmaxOp op) {
  Value input = op.getInput(), table = op.getTable();
  Value panel = op.getInits()[0], sums = op.getInits()[1];
  if (!isContiguousFrom(input, 2) || !isContiguousFrom(panel, 2) ||
      !isContiguousFrom(table, 0) || !isContiguousFrom(sums, 0))
    return failure();
  func::FuncOp kernel = get(SoftmaxKernel{op.getColumns()}, 5);
  Buffer x = getBuffer(b, input), e = getBuffer(b, panel),
         s = getBuffer(b, sums);
  Value tableAddress = b.getAddress(table);
  b.forEach(getDim(input, 0), [&](Value head) {
    Value scores = b.advance(x.address, head, x.strides[0]);
    Value result = b.advance(e.address, head, e.strides[0]);
    Value sum = b.advance(s.address, head, s.strides[0]);
    forRowPairs(getDim(input, 1), x.strides[1], [&](Value pair, int64_t bytes) {
      Value row = b.advance(scores, pair, 2 * x.strides[1]);
      Value word = b.advance(result, pair, e.strides[1]);
      Value pairSum = b.advance(sum, pair, 8);
      b.call(kernel, {row, tableAddress, word, pairSum, b.index(bytes)});
    });
  });
  return success();
}

} // namespace

LogicalResult tinyattn::lowerPackedOp(Operation *op, ArmDspLowering &shared) {
  Lowering lowering(op, shared);
  LogicalResult lowered =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case<PackRowsOp, PackColumnsOp, PackedLinearOp, PackedScoresOp,
                PackedSoftmaxOp, PackedContextOp>(
              [&](auto op) { return lowering.lower(op); })
          .Default(failure());
  if (succeeded(lowered))
    op->erase();
  return lowered;
}
