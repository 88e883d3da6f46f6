// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops on panels mean, word by word: for targets and shapes without a
// kernel of their own.

#include "PanelBuilder.h"

#include "TinyFormer/Conversion/TinyAttnToLoops.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

int64_t getPairs(int64_t size) { return llvm::divideCeil(size, 2); }

struct PackRowsToLoops : OpRewritePattern<PackRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackRowsOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value x = op.getInput();
    int64_t rows = getShape(x)[0], width = getShape(x)[1];
    b.forEach({getPairs(rows), getPairs(width)}, [&](ValueRange position) {
      for (int64_t which : {0, 1}) {
        Value row = b.member(position[0], which, rows);
        auto read = [&](Value k) {
          return op.getUnsignedInput() ? b.loadUnsigned(x, {row, k})
                                       : b.load(x, {row, k});
        };
        Pair word = {b.readOrZero(position[1], 0, width, read),
                     b.readOrZero(position[1], 1, width, read)};
        if (op.getInterleaved() && width >= 4)
          word = interleave(b, position[1], width, word, read);
        b.storeWord(word, op.getInits().front(), position, which);
      }
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// Of the words of whole groups of four: step 2i has 4i and 4i + 2, the next
  /// one 4i + 1 and 4i + 3. Behind them, `natural`.
  static Pair interleave(PanelBuilder &b, Value step, int64_t width,
                         Pair natural, llvm::function_ref<Value(Value)> read) {
    int64_t whole = width / 4 * 4;
    Value one = b.index(1);
    Value odd = arith::AndIOp::create(b, step, one);
    Value even = arith::SubIOp::create(b, step, odd);
    Value first = b.add(b.mul(even, b.index(2)), odd);
    Value isWhole = b.compare(arith::CmpIPredicate::slt,
                              b.mul(step, b.index(2)), b.index(whole));
    Pair word;
    for (int64_t half : {0, 1}) {
      // What is read beyond the whole groups is not taken.
      Value last = b.index(whole - 1);
      Value k =
          arith::MinSIOp::create(b, b.add(first, b.index(2 * half)), last);
      word[half] = b.select(isWhole, read(k), natural[half]);
    }
    return word;
  }
};

struct PackColumnsToLoops : OpRewritePattern<PackColumnsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackColumnsOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value x = op.getInput();
    int64_t columns = getShape(x)[0], depth = getShape(x)[1];
    b.forEach({getPairs(columns), getPairs(depth)}, [&](ValueRange position) {
      Tile halves;
      for (int64_t which : {0, 1}) {
        Value column = b.member(position[0], which, columns);
        auto read = [&](Value k) { return b.load(x, {column, k}); };
        halves[which] = {b.readOrZero(position[1], 0, depth, read),
                         b.readOrZero(position[1], 1, depth, read)};
      }
      b.storeRight(halves[0], halves[1], op.getInits().front(), position,
                   op.getForm());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct PackedLinearToLoops : OpRewritePattern<PackedLinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedLinearOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value left = op.getLeft(), weight = op.getWeight();
    bool isJoint = op.getForm() == PanelForm::Joint;
    int64_t head = op.getRequant() ? 4 : 0;
    b.forEach({getShape(left)[0], getShape(weight)[0]},
              [&](ValueRange position) {
                Value i = position[0], j = position[1];
                auto loadLeft = [&](Value step, int64_t row) {
                  return b.load(left, {i, step, b.index(row)});
                };
                auto loadColumns = [&](Value step) {
                  Value word = isJoint ? step : b.mul(step, b.index(2));
                  word = b.add(word, b.index(head));
                  return b.loadRight(weight, {j, word}, op.getForm(),
                                     /*isWeight=*/true);
                };
                Tile inits = op.getRequant() ? loadBias(b, op, j) : b.zeros();
                Tile sums =
                    b.multiply(getShape(left)[1], inits, loadLeft, loadColumns);
                if (op.getRequant())
                  storeResult(b, op, i, j, requantize(b, op, j, sums));
                else
                  accumulate(b, op, i, j, sums);
              });
    rewriter.eraseOp(op);
    return success();
  }

  static Value loadHead(PanelBuilder &b, PackedLinearOp op, Value j,
                        int64_t word) {
    return b.load(op.getWeight(), {j, b.index(word)});
  }

  static Tile loadBias(PanelBuilder &b, PackedLinearOp op, Value j) {
    Value first = loadHead(b, op, j, 0), second = loadHead(b, op, j, 1);
    Pair bias{first, second};
    if (op.getForm() == PanelForm::Joint)
      bias = {second, b.shiftRight(b.sub(first, second), 8)};
    return {bias, bias};
  }

  static Tile requantize(PanelBuilder &b, PackedLinearOp op, Value j,
                         Tile sums) {
    Pair multipliers{loadHead(b, op, j, 2), loadHead(b, op, j, 3)};
    for (Pair &row : sums) {
      // Its multiplier has 8 bits fewer.
      if (op.getForm() == PanelForm::Joint)
        row[1] = b.shiftLeft(row[1], 8);
      for (int64_t column : {0, 1})
        row[column] = b.requantizeUpper(row[column], multipliers[column],
                                        *op.getRequant());
    }
    return sums;
  }

  /// Where the number of rows is odd, the last pair is one row twice; where
  /// that of channels is, the second channel gives way to the first.
  static void storeRows(PanelBuilder &b, Value y, Value i, Value j,
                        const Tile &values) {
    int64_t rows = getShape(y)[0], channels = getShape(y)[1];
    for (int64_t column : {1, 0})
      for (int64_t row : {0, 1})
        b.store(values[row][column], y,
                {b.member(i, row, rows), b.member(j, column, channels)});
  }

  static void accumulate(PanelBuilder &b, PackedLinearOp op, Value i, Value j,
                         Tile sums) {
    Value y = op.getInits().front();
    int64_t rows = getShape(y)[0], channels = getShape(y)[1];
    // All is read before something is written: two may be one.
    for (int64_t row : {0, 1})
      for (int64_t column : {0, 1})
        sums[row][column] = b.add(
            sums[row][column],
            b.load(y, {b.member(i, row, rows), b.member(j, column, channels)}));
    storeRows(b, y, i, j, sums);
  }

  static void storeResult(PanelBuilder &b, PackedLinearOp op, Value i, Value j,
                          const Tile &values) {
    Value y = op.getInits().front();
    switch (op.getLayout()) {
    case PanelLayout::Rows:
      return storeRows(b, y, i, j, values);
    case PanelLayout::Left:
      b.storeWord(values[0], y, {i, j}, 0);
      return b.storeWord(values[1], y, {i, j}, 1);
    case PanelLayout::Keys:
      return b.storeRight(values[0], values[1], y, {i, j}, *op.getResultForm());
    case PanelLayout::Values:
      return b.storeRight({values[0][0], values[1][0]},
                          {values[0][1], values[1][1]}, y, {j, i},
                          *op.getResultForm());
    }
  }
};

struct PackedScoresToLoops : OpRewritePattern<PackedScoresOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedScoresOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value y = op.getInits().front();
    int64_t heads = getShape(op.getMultipliers())[0], rows = getShape(y)[1];
    int64_t steps = getShape(op.getQueries())[1] / heads;
    bool isShared = getShape(op.getKeys())[1] == steps;
    b.forEach(
        {heads, getPairs(rows), getPairs(op.getColumns())},
        [&](ValueRange position) {
          Value head = position[0], i = position[1], j = position[2];
          auto loadLeft = [&](Value step, int64_t row) {
            Value word = b.multiplyAdd(step, head, b.index(steps));
            return b.load(op.getQueries(), {i, word, b.index(row)});
          };
          auto loadColumns = [&](Value step) {
            Value word =
                isShared ? step : b.multiplyAdd(step, head, b.index(steps));
            return b.loadRight(op.getKeys(), {j, word}, op.getForm(),
                               /*isWeight=*/false);
          };
          Tile sums = b.multiply(steps, b.zeros(), loadLeft, loadColumns);
          Value multiplier = b.load(op.getMultipliers(), head);
          // Columns are stored up to a multiple of 4, so none is beyond.
          for (int64_t row : {0, 1})
            for (int64_t column : {0, 1})
              b.store(
                  b.requantize(sums[row][column], multiplier, op.getRequant()),
                  y, {head, b.member(i, row, rows), b.member(j, column)});
        });
    rewriter.eraseOp(op);
    return success();
  }
};

struct PackedSoftmaxToLoops : OpRewritePattern<PackedSoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedSoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value x = op.getInput();
    int64_t rows = getShape(x)[1];
    b.forEach({getShape(x)[0], getPairs(rows)}, [&](ValueRange position) {
      for (int64_t which : {0, 1}) {
        Value row = b.member(position[1], which, rows);
        Value sum = exponentiate(b, op, position, which, row);
        b.store(sum, op.getInits()[1],
                {position[0], b.member(position[1], which)});
      }
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// Writes the exponentials of a row and returns their sum.
  static Value exponentiate(PanelBuilder &b, PackedSoftmaxOp op,
                            ValueRange position, int64_t which, Value row) {
    Value head = position[0];
    int64_t columns = op.getColumns();
    Value largest = b.reduce(columns, b.i32(-128), [&](Value k, Value largest) {
      return b.max(largest, b.load(op.getInput(), {head, row, k}));
    });
    // The table from its end: entry 255 is that of the largest.
    Value offset = b.sub(b.i32(255), largest);
    auto read = [&](Value k) {
      Value entry = b.add(offset, b.load(op.getInput(), {head, row, k}));
      return b.loadUnsigned(
          op.getTable(),
          arith::IndexCastUIOp::create(b, b.getIndexType(), entry).getResult());
    };
    return b.reduce(getPairs(columns), b.i32(0), [&](Value step, Value sum) {
      Pair halves{b.readOrZero(step, 0, columns, read),
                  b.readOrZero(step, 1, columns, read)};
      b.storeWord(halves, op.getInits()[0], {head, position[1], step}, which);
      return b.add(sum, b.add(halves[0], halves[1]));
    });
  }
};

struct PackedContextToLoops : OpRewritePattern<PackedContextOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedContextOp op,
                                PatternRewriter &rewriter) const override {
    PanelBuilder b(op.getLoc(), rewriter);
    Value e = op.getExponentials();
    int64_t heads = getShape(e)[0], pairs = getShape(op.getValues())[0];
    if (!op.getSharedValues())
      pairs /= heads;
    b.forEach({heads, getShape(e)[1]}, [&](ValueRange outer) {
      Value head = outer[0], i = outer[1];
      Pair multipliers;
      for (int64_t row : {0, 1})
        multipliers[row] = arith::DivUIOp::create(
            b, b.load(op.getMultipliers(), head),
            b.load(op.getRowSums(), {head, b.member(i, row)}));
      b.forEach(pairs, [&](ValueRange inner) {
        Value j = b.multiplyAdd(inner.front(), head, b.index(pairs));
        auto loadLeft = [&](Value step, int64_t row) {
          return b.load(e, {head, i, step, b.index(row)});
        };
        Value channels = op.getSharedValues() ? inner.front() : j;
        auto loadColumns = [&](Value step) {
          return b.loadRight(op.getValues(), {channels, step}, op.getForm(),
                             /*isWeight=*/false);
        };
        Tile sums =
            b.multiply(getShape(e)[2], b.zeros(), loadLeft, loadColumns);
        for (int64_t row : {0, 1})
          storeRow(b, op, i, j, row, sums[row], multipliers[row]);
      });
    });
    rewriter.eraseOp(op);
    return success();
  }

  static void storeRow(PanelBuilder &b, PackedContextOp op, Value i, Value j,
                       int64_t row, Pair sums, Value multiplier) {
    Value y = op.getInits().front();
    for (Value &sum : sums)
      sum = b.requantize(sum, multiplier, op.getRequant());
    if (op.getLayout() == PanelLayout::Left)
      return b.storeWord(sums, y, {i, j}, row);
    for (int64_t column : {0, 1})
      b.store(sums[column], y,
              {b.member(i, row, getShape(y)[0]), b.member(j, column)});
  }
};

} // namespace

void tinyattn::populatePackedToLoopsPatterns(RewritePatternSet &patterns) {
  patterns.add<PackRowsToLoops, PackColumnsToLoops, PackedLinearToLoops,
               PackedScoresToLoops, PackedSoftmaxToLoops, PackedContextToLoops>(
      patterns.getContext());
}
