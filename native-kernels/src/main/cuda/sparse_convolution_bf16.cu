// Sparse convolution of bf16 features on tensor cores, forward and dgrad: bf16 factors, fp32 sums,
// rounded once when stored (common/tensor_convolution.cuh, geometries in common/tensor_tilings.cuh).
// On sm_90a products are wgmma's, elsewhere mma.sync's.
// Architectures: compute_80 sm_90a
//
// Launch:  stage_weights: a thread an element of the blocks of weights, 256 threads; it comes before
//          every convolution. convolution: kThreads threads, grid (blocks that stay, tiles of
//          columns); results do not depend on the grid. Channel counts are multiples of 8 and rows
//          aligned to 16 bytes, K is 1 or 9; convolution_any takes the rest, in fp32 arithmetic with
//          round_weights' factors.
// Shared:  dynamic, TensorStages: up to 202 KB on sm_90a, 67 KB for 32 channels and fewer (three
//          blocks a multiprocessor); 99 KB elsewhere.
// FLOPs:   2·pairs·C_in·C_out; run are 2·9·N·C_in·C_out in natural order.
// Bytes:   2·N·(C_in + C_out) + 12·N + 4·pairs from device memory; weights from the L2 once for 256
//          outputs if they do not fit shared memory (128->128).
// Bound:   tensor cores for 128->128; shared memory and the L1 for 32->32 (ncu: 73 %, 2.1
//          instructions a cycle, device memory 42 %): fragments of rows and weights are read from
//          there, and lists of neighbours with a stride of 36 bytes.
//
// Measured (H200, medians of device time of 24 launches over rotating arrays, 3x3; floor = the
// larger of bytes at 4.2 TB/s and FLOPs at 755 TFLOP/s; stage_weights adds .005 to .006):
//   pattern            kb    C         order     ms    floor  share
//   band, 999,979     8.11   32->32    natural   .077   .041   .53
//                           128->128   natural   .407   .352   .87  (654 TFLOP/s)
//                           128->32    natural   .203   .088   .43
//                            32->128   natural   .151   .088   .58
//                            64->64    natural   .151   .088   .58
//                            32->8     natural   .064   .030   .46
//                             8->8     natural   .057   .018   .32
//                             8->32    natural   .066   .030   .45
//   ... dilation 2    7.22   32->32    natural   .079   .040   .51
//   ... dilation 3    6.33   32->32    natural   .080   .039   .49
//   ... 401 wide      8.98  128->128   natural   .442   .374   .85
//   R-MAT, 913,895    1.31   32->32    by mask   .066   .032   .48
// mma.sync in place of wgmma (H100): 32->32 the same, 128->128 .92 where wgmma had .45.
// Tried (H200, band natural and R-MAT by mask, 32->32): 256 outputs a block .077 and .091; two
// warpgroups on 128 outputs .087 and .074; four on 256 .102 and .113. The other order: band by mask
// .191, R-MAT natural .119. 128->128 with 320 rows a stage: .410; 128->32 with four warpgroups: .204.
// One lane that arrives at a barrier for its warp, after __syncwarp, in place of all of them: .9985 to
// 1.0025 of the time (32->32, 128->128, 128->32, 32->128), and racecheck does not follow it.
// Loaders that keep lists in shared memory and walk the table of rows offset by offset, computing
// warps with offsets in a loop (H100): .100, 128->128 .45.
#include "common/tensor_tilings.cuh"

using namespace autosparse;

TENSOR_CONVOLUTIONS(bf16)
