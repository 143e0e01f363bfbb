// Sparse convolution of fp32 features in tf32 on tensor cores, forward and dgrad: factors rounded to
// ten bits, fp32 sums (common/tensor_convolution.cuh). Geometries, launch and shared memory are those
// of sparse_convolution_bf16.cu; a pack is four channels, and channel counts are multiples of 4.
// Architectures: compute_80 sm_90a
//
// FLOPs:   2·pairs·C_in·C_out; run are 2·9·N·C_in·C_out in natural order.
// Bytes:   4·N·(C_in + C_out) + 12·N + 4·pairs from device memory.
// Bound:   tensor cores for 128->128; shared memory for 32->32.
//
// Measured (H100, medians of device time of 24 launches over rotating arrays, 3x3, before loaders
// kept neighbours in registers; fp32 multiply-adds took .59, 7.47, .16 and 1.34):
//   band, 999,979, natural order:    32->32 .186, 128->128 1.006
//   R-MAT, 913,895, sorted by mask:  32->32 .165, 128->128 .576
#include "common/tensor_tilings.cuh"

using namespace autosparse;

TENSOR_CONVOLUTIONS(float)
