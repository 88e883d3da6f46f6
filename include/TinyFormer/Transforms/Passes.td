// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TINYFORMER_TRANSFORMS_PASSES_TD
#define TINYFORMER_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def NarrowToSlices
    : Pass<"tinyattn-narrow-to-slices", "::mlir::func::FuncOp"> {
  let summary = "Compute only the rows that slices read";
  let description = [{
    A classifier reads one token of the last block, the class token: all other
    rows of that block's feed-forward network, output projection, context,
    scores and queries are computed for nothing.

    Effect: where slices are all that read the result of an op, the op computes
    the smallest box that holds them, from slices of its own operands, and so
    on backwards. Attention receives `query_rows`; its keys and values are those
    of all tokens. Channels stay whole. The elements that are left are the same
    to the bit. The function's attribute `tinyattn.narrowed` says how many rows of
    how many each layer computes.

    Ranges are not carried over where the model has none yet: calibrate after
    this pass.

    Example: test/Transforms/narrow-to-slices.mlir.
  }];
  let dependentDialects = [
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def FuseWeights : Pass<"tinyattn-fuse-weights", "::mlir::func::FuncOp"> {
  let summary = "Fuse the weights of attention where it pays";
  let description = [{
    Precondition: `mhsa` ops are float, with constant weights.

    Effect: `mhsa` becomes `fused_mhsa` with M_h = Wq_hᵀ·Wk_h, c_h = bq_h·Wk_h,
    N_h = Wo_h·Wv_h and d = bo + Σ_h Wo_h·bv_h, computed in double precision. With `mode=auto`, that is done where the cost
    model of the module's target estimates fewer cycles, or with `optimize=size`
    where the weights take fewer bytes. The function's attribute
    `tinyattn.fusion` says what was decided for each layer, with both estimates
    of what differs, [plain, fused]. A layer that arrives quantised, which is
    one that has `tinyattn.query_absmax` already, is fused by `mode=always` only:
    its weights would be rounded a second time, and no range is known.

    Ranges are not carried over: calibrate after this pass.

    Example: test/Transforms/fuse-weights.mlir.
  }];
  let options = [
    Option<"mode", "mode", "std::string", /*default=*/"\"auto\"",
           "auto, always or never">,
    Option<"optimize", "optimize", "std::string", /*default=*/"\"cycles\"",
           "What mode=auto saves: cycles or size">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def Quantize : Pass<"tinyattn-quantize", "::mlir::func::FuncOp"> {
  let summary = "Replace the real-valued network by its int8 network";
  let description = [{
    Precondition: every op is a float `tinyattn` op, a constant, or a `tensor`
    op that moves data, and carries the range of its result (`tinyattn.range`
    and its kin, see the dialect), from calibration or from a model that
    arrives quantised.

    Effect: arguments, results and activations become i8, weights symmetric i8
    per output channel, biases i32. Constants with `tinyattn.weight_scales` or
    `tinyattn.range` keep the integers that these give. Every multiplier, shift and table is
    computed here; multipliers are as wide as the bound on the accumulator,
    proven from the actual weights, allows. Arguments and results receive
    `tinyattn.scale` and `tinyattn.zero_point`.

    Postcondition: no float is left; the function's integers are fixed.

    Example: test/Transforms/quantize.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
    "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def DecomposeAttention
    : Pass<"tinyattn-decompose-attention", "::mlir::func::FuncOp"> {
  let summary = "Decompose whole attention layers into structured ops";
  let description = [{
    Precondition: attention ops are quantised.

    Effect: `mhsa` becomes three `linear` ops split by heads, a `matmul` for the
    scores, a `softmax` with late normalisation, a `matmul` for the context and
    a `linear`; `fused_mhsa` has two projections fewer: its keys are its input,
    and its values that input, transposed.
    The ops carry the location of their attention op, with a suffix.

    Example: test/Transforms/decompose-attention.mlir.
  }];
  let dependentDialects = [
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def DepthFirstTile
    : Pass<"tinyattn-depth-first-tile", "::mlir::func::FuncOp"> {
  let summary = "Tile attention depth-first, so that no attention map exists";
  let description = [{
    Precondition: attention ops are quantised.

    Effect: each attention op becomes loops over heads and blocks of rows of
    structured ops on tiles. For a tile of rows of one head, queries, scores,
    exponentials (in the place of the scores) and context follow each other:
    the last consumer is tiled and its producers are fused into the loop, by
    `TilingInterface`. Rows that are left over are one more, smaller tile behind
    the loop, because all sizes on the device are static.

    A *schedule* is one of these, and a number of rows a tile:

    * `heads-context`: heads outside; K and V of the head are whole; the context
      of all heads is kept as [S, H·Pv], and projected at the end.
    * `heads-accumulate`: the same, but the output projection of each head is
      added to an i32 [S, E'] at once, which is requantised at the end.
    * `rows-all`: K and V of all heads are whole; each tile of rows is all heads.
    * `rows-context` and `rows-accumulate`: rows outside, heads inside; K and V
      of one head are computed again for each tile of rows, the context or the
      sums of the projection are as high as the tile.
    * `halves-accumulate` and `quarters-accumulate`: `heads-accumulate` for a
      half or a quarter of the rows at a time, so that the sums are as high as
      that; K and V of each head are computed again for each of them. Tiles are
      no higher than a block.
    * `none`: the op stays, for `-tinyattn-decompose-attention`.

    With fused weights, K and V are X itself. What comes out is the same to the bit.

    `tile=auto` takes the fastest schedule that fits the target's largest memory
    (the smallest of those whose estimates are within 1 % of it, on ri5cy 0.5 %)
    for an arena, or with `optimize=size` the smallest of those that are at most
    4 % slower than it, or 5 % slower than the untiled program with fused or
    plain weights, whichever is slower; if none fits, the smallest. On a target
    with a DMA, from whose other memory the rows of whole layers stream, it takes
    `none` where nothing that fits the first memory is half as fast. `tile=min` takes the smallest of all. Estimates of bytes are those of a perfect memory plan,
    cycles come from the cost model.

    The function's attribute `tinyattn.schedules` says what was chosen and
    estimated for each layer; with `explain`, also all that was considered, why
    this one was chosen (`fastest`, `smallest-of-fast`, `smallest`, `none-fits`,
    `spills`, `only`), and the bytes that the target's largest memory leaves to the layer.

    Example: test/Transforms/depth-first-tile.mlir.
  }];
  let options = [
    Option<"tile", "tile", "std::string", /*default=*/"\"auto\"",
           "auto, none, min, or the number of rows of a tile">,
    Option<"optimize", "optimize", "std::string", /*default=*/"\"cycles\"",
           "What auto prefers: cycles or size">,
    Option<"schedule", "schedule", "std::string", /*default=*/"\"\"",
           "Consider one kind of schedule only, by its name">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "Leave all schedules that were considered in the attribute">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def TileFeedForward
    : Pass<"tinyattn-tile-feed-forward", "::mlir::func::FuncOp"> {
  let summary = "Tile feed-forward networks, so that no wide rows exist whole";
  let description = [{
    Precondition: layers are quantised. Nothing happens on a target with a DMA.

    Effect: a `linear` that makes rows wider, and the row-wise layers around it
    that have one reader each (a layer normalisation before; tables, `linear`,
    residual addition and layer normalisation behind), become a loop over some
    rows at a time, if a `linear` among them makes rows narrower again. The
    last layer is tiled and the others are fused into the loop, by
    `TilingInterface`. Rows that are left over are one more, smaller tile behind it.
    The result takes the place of the input, row by row, where nothing else reads
    that: then the network needs no memory but its tile. The bits stay the same.

    `tile=auto` takes 8 to 16 rows, with `optimize=size` 4, which cost little;
    `tile=min` 2.

    Example: test/Transforms/tile-feed-forward.mlir.
  }];
  let options = [
    Option<"tile", "tile", "std::string", /*default=*/"\"auto\"",
           "auto, none, min, or the number of rows of a tile">,
    Option<"optimize", "optimize", "std::string", /*default=*/"\"cycles\"",
           "What auto prefers: cycles or size">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def DecomposeConcat
    : Pass<"tinyattn-decompose-concat", "::mlir::func::FuncOp"> {
  let summary = "Turn tensor.concat into insertions, which bufferize in place";
  let description = [{
    Runs upstream's decomposition of `tensor.concat` on its own, so that
    producers can write straight into their part of the result.

    Example: test/Transforms/decompose-concat.mlir.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def SeparateDestinations
    : Pass<"tinyattn-separate-destinations", "::mlir::func::FuncOp"> {
  let summary = "Give every use of an empty tensor one of its own";
  let description = [{
    Effect: each operand that was a `tensor.empty` is one that nothing else uses,
    right before its user; a slice of an empty tensor that has other uses is an
    empty tensor. Elimination of common subexpressions joins empty
    tensors of one shape; a buffer made of one would be alive from the first use
    to the last, although nothing is in it in between.

    Example: test/Transforms/separate-destinations.mlir.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def PackOperands : Pass<"tinyattn-pack-operands", "::mlir::func::FuncOp"> {
  let summary = "Give matrix products their operands as panels of 16-bit pairs";
  let description = [{
    Precondition: attention is decomposed. Nothing happens unless the module's
    target has the instruction set `armv7e-m`, whose SMLAD multiplies two pairs.

    Effect: `linear` and `linear_accumulate` with constant weights become
    `packed_linear`, their weights constant panels; the two `matmul`s of
    attention and the `softmax` between them become `packed_scores`,
    `packed_softmax` and `packed_context`. Layouts go from producer to consumer:
    queries and contexts are written as left panels, keys and values as right
    panels, where the next op is their only reader. Bytes that come from
    elsewhere get a `pack_rows` or `pack_columns`, once for all that read them
    in a block. Panels that would take much memory are made for some rows at a
    time, in a loop. Right panels and weights are in the joint form where that
    is proven to be exact, else in the separate one. The bits stay the same.

    A `conv` becomes `packed_linear` of `pack_patches`, also some rows at a time,
    its padding a `pad` before; a normalised `softmax` and the tables behind it
    become `normalized_softmax` and what the tables do besides.

    Ops stay as they are where an operand is no constant, a head has an odd
    number of channels, or requantisation is wide, shifts by less than 17 or
    has a multiplier of 2^(shift-1) or more.

    Postcondition: no constant holds weights that were packed, once the dead
    ones are removed.

    Example: test/Transforms/pack-operands.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def PackWords : Pass<"tinyattn-pack-words", "::mlir::func::FuncOp"> {
  let summary = "Let dot products of four bytes read rows of words";
  let description = [{
    Precondition: attention is decomposed. Nothing happens unless the module's
    target has the instruction set `xpulpv2`, whose dot products take a word of
    four bytes of each operand.

    Effect: `linear` and `linear_accumulate` with constant weights become
    `word_linear`, their weights constant rows of words with multiplier and
    addend. A `conv` is such a layer of its patches, of which some KiB are made
    at a time by `pack_patches`, after `pad` where it has padding. Values of
    attention are written transposed, so that the context is a product of rows,
    too (`matmul` with `transpose_b`). Rows that the passes
    made, and matrix products read, start at whole words and not all in the same
    memory bank: their destination is a slice of a wider tensor. A whole softmax
    that tables read becomes `normalized_softmax`. The bits stay the same.

    Layers stay as they are where an operand is no constant or requantisation is
    wide.

    Postcondition: no constant holds weights that were packed, once the dead
    ones are removed.

    Example: test/Transforms/pack-words.mlir.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def MoveRows : Pass<"tinyattn-move-rows", "::mlir::func::FuncOp"> {
  let summary = "Keep the cores of a cluster out of one memory bank";
  let description = [{
    Precondition: `tinyattn-pack-words` has run, and no canonicalisation follows
    on tensors: it would take the copy for a detour.

    Effect: on a cluster of several cores, an argument of the function whose rows
    are multiples of 64 bytes long, so that all of them begin in the same of 16
    banks, is copied into longer rows for the matrix products that read it.

    Example: test/Transforms/move-rows.mlir.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def ReuseDestinations
    : Pass<"tinyattn-reuse-destinations", "::mlir::func::FuncOp"> {
  let summary = "Let element-wise ops overwrite an input that dies there";
  let description = [{
    Effect: `add` and `lookup`, which read an element before they write the one
    in its place, take as destination an input that another layer made and
    nothing else reads, so that no buffer is needed for the result.

    Example: test/Transforms/reuse-destinations.mlir.
  }];
  let dependentDialects = ["::mlir::tinyattn::TinyAttnDialect"];
}

def OutlineKernels : Pass<"tinyattn-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Give every structured op a function of its own";
  let description = [{
    Precondition: structured ops work on memrefs.

    Effect: each becomes a call of a private function that holds just that op
    and is never inlined, so that every layer is a symbol to profile. The name
    comes from the op's location (the ONNX node) and the op's name. Constants
    that the op reads move into the function, and so do slices at offsets that
    are known at run time only, because a bare pointer cannot carry these.

    Example: test/Transforms/outline-kernels.mlir.
  }];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"
  ];
}

def InsertTransfers : Pass<"tinyattn-insert-transfers", "::mlir::ModuleOp"> {
  let summary = "Copy constants, inputs and outputs while cores compute";
  let description = [{
    Precondition: structured ops work on memrefs, and buffers are not placed yet.
    Nothing happens unless the module's target has a DMA.

    Effect: what lies in the far memory and is read or written by an op is copied
    to or from a buffer in the target's first memory. A transfer starts one op
    ahead, so that it is behind the computation. The weights of a `word_linear`
    that are many are cut: it becomes one op for each part of the channels, so
    that one part arrives while another one is used. What is read in a loop is
    copied before it, as a whole, or part by part inside where there is no room.
    Room is what the lifetimes of all other buffers leave, and at least 16 KiB.
    Activations that it is too small for, and that ops take by rows, stay in the
    far memory; these ops become one for each part of the rows, which come and go
    beside the parts before and behind.
    What finds none stays where it is, and so does what is smaller than 256 bytes.

    Examples: test/Transforms/insert-transfers.mlir, insert-transfers-rows.mlir.
  }];
  let dependentDialects = [
    "::mlir::memref::MemRefDialect", "::mlir::tinyattn::TinyAttnDialect"
  ];
}

def PlanMemory : Pass<"tinyattn-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Place every buffer in a static arena";
  let description = [{
    Precondition: the only public function has one block, its results have
    become arguments, and it allocates static memrefs.

    Effect: each `memref.alloc` becomes a view of a new last argument, the arena,
    at an offset such that buffers that are alive at the same time do not
    overlap. The arena goes to the first RAM of the module's target that holds
    it; without a target, anywhere. If no RAM holds it, buffers are spread over
    several, each with an arena of its own, in the order of the target. The
    arguments' attributes say where and how large: `tinyattn.arena = "sram1"`,
    and `tinyattn.arena_lower_bound`, the largest sum of bytes in this arena
    alive at one time. With `explain`, the function's attribute `tinyattn.plan`
    says where each buffer lies, and when it is alive.

    Errors: buffers that fit no memory and cannot be spread, with the numbers and
    the largest buffers; an allocation of dynamic size, in a parallel loop, or that outlives
    the region it is in.

    Example: test/Transforms/plan-memory.mlir.
  }];
  let options = [
    Option<"alignment", "alignment", "uint64_t", /*default=*/"8",
           "Alignment of each buffer in bytes, a power of two">,
    Option<"explain", "explain", "bool", /*default=*/"false",
           "Leave the places and lifetimes of all buffers in an attribute">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def VerifyPhase : Pass<"tinyattn-verify-phase", "::mlir::ModuleOp"> {
  let summary = "Check that only ops of the given phase are left";
  let description = [{
    The executable specification of the phases: fails on the first op that may
    not be left after `phase`, with its location.

    Example: test/Transforms/verify-phase.mlir.
  }];
  let options = [
    Option<"phase", "phase", "std::string", /*default=*/"\"import\"",
           "import, fuse, quantize, tile, bufferize, kernels or llvm">
  ];
}

#endif // TINYFORMER_TRANSFORMS_PASSES_TD
