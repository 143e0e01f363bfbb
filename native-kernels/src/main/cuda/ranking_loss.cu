// Ranking losses over groups of scores, with their gradients.
//
// A warp owns an element and visits all elements of its group, lane by lane; so every gradient has
// one owner, memory is O(N) and any N is right. Ranks are counted, not sorted for: an element's
// rank is the number of elements before it. That is O(N²) too, but every comparison is independent
// and costs less than half of the pair's own work, while a sort of one group is 78 dependent steps at
// 4,096 elements on one multiprocessor. Sums: each lane adds its elements in order, the lanes are
// added by a fixed tree, and the losses of a group by one block in double precision.
//   bytes O(N) from memory, the rest from cache; per ordered pair, margin about 8 instructions,
//   LambdaRank about 6 to rank and about 30 for the loss, 3 of them special functions
// Bound: instructions.
//
// Measured on an H100 80GB HBM3, L2 flushed, median of 20, an empty launch 3.0 us, one group:
//             margin    LambdaRank
//   N = 768   10.6 us   17.2 us
//   N = 4096  22.4 us   41.2 us   (alone: ranks 14.2, pairs 33.4, sum 4.7)
#include "common/rows.cuh"
#include "common/segments.cuh"

namespace autosparse {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;

// The group of an element: the last one that starts at or before it. Visiting all pairs of a group
// limits its size long before 32 bits do.
struct Group {
  int64 from;
  int size;
  int own;  // the element's index in the group

  __device__ Group(const int64* offsets, int groups, int64 element) {
    const int64 group = segment_of(offsets, 0, groups - 1, element);
    from = offsets[group];
    size = static_cast<int>(offsets[group + 1] - from);
    own = static_cast<int>(element - from);
  }
};

__device__ __forceinline__ int64 element_of_warp() {
  return static_cast<int64>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
}

// 1/log2(1 + rank) of the element with `before` elements before it.
__device__ __forceinline__ float inverse_discount(int64 before) {
  return 1 / log2f(2.0f + static_cast<float>(before));
}

// log2(1 + t) of t in [0, 1], without losing small t to the 1.
__device__ __forceinline__ float log2_one_plus(float t) {
  float series = kLog2E * t * fmaf(t, fmaf(t, fmaf(t, -0.25f, 1.0f / 3), -0.5f), 1.0f);
  return t < 1.0f / 64 ? series : log2_fast(1 + t);
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// Sums of each element's pairs with worse elements, before the division by the number of pairs:
// violations [N] the loss, worse [N] the pairs, d_scores [N] the pairs that push it, signed.
// Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    margin_pairs_f32(const float* scores, const float* labels, const int64* offsets, int groups,
                     int64 count, float margin, float* violations, int* worse, float* d_scores) {
  int lane = threadIdx.x % kWarp;
  int64 i = element_of_warp();
  if (i >= count) return;
  const Group group(offsets, groups, i);
  float s = scores[i];
  float y = labels[i];
  float loss = 0;
  int pairs = 0;
  int push = 0;
  const float* group_scores = scores + group.from;
  const float* group_labels = labels + group.from;
#pragma unroll 4
  for (int j = lane; j < group.size; j += kWarp) {
    const float difference = s - group_scores[j];
    const float other = group_labels[j];
    const bool better = y > other;
    const float violation = fmaxf(margin - (better ? difference : -difference), 0);
    const int violated = violation > 0;
    pairs += better;
    loss += better ? violation : 0.0f;
    push += violated * ((y < other) - better);
  }
  loss = warp_sum(loss);
  pairs = warp_sum(pairs);
  push = warp_sum(push);
  if (lane == 0) {
    violations[i] = loss;
    worse[i] = pairs;
    d_scores[i] = static_cast<float>(push);
  }
}

// Divides by each group's number of pairs. Grid: groups; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    margin_finish_f32(const float* violations, const int* worse, const int64* offsets,
                      float* losses, float* d_scores) {
  __shared__ double slots[kWarps];
  int64 from = offsets[blockIdx.x];
  int64 to = offsets[blockIdx.x + 1];
  double pairs = 0;
  double loss = 0;
  for (int64 i = from + threadIdx.x; i < to; i += kThreads) {
    pairs += worse[i];
    loss += violations[i];
  }
  pairs = block_sum(pairs, slots);
  loss = block_sum(loss, slots);
  double inverse = pairs == 0 ? 0 : 1 / pairs;
  if (threadIdx.x == 0) losses[blockIdx.x] = static_cast<float>(loss * inverse);
  for (int64 i = from + threadIdx.x; i < to; i += kThreads) {
    d_scores[i] = static_cast<float>(d_scores[i] * inverse);
  }
}

// elements [N] of {score, label, gain 2^y − 1, 1/D of the rank by score}, ideal [N]: the gain over
// the discount of the rank by label. Ties rank by ascending index. Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    lambda_ranks_f32(const float* scores, const float* labels, const int64* offsets, int groups,
                     int64 count, float4* elements, float* ideal) {
  int lane = threadIdx.x % kWarp;
  int64 i = element_of_warp();
  if (i >= count) return;
  const Group group(offsets, groups, i);
  float s = scores[i];
  float y = labels[i];
  const float* group_scores = scores + group.from;
  const float* group_labels = labels + group.from;
  int by_score = 0;
  int by_label = 0;
#pragma unroll 4
  for (int j = lane; j < group.own; j += kWarp) {
    by_score += group_scores[j] >= s;
    by_label += group_labels[j] >= y;
  }
#pragma unroll 4
  for (int j = group.own + 1 + lane; j < group.size; j += kWarp) {
    by_score += group_scores[j] > s;
    by_label += group_labels[j] > y;
  }
  by_score = warp_sum(by_score);
  by_label = warp_sum(by_label);
  if (lane == 0) {
    float gain = expm1f(kLn2 * y);
    elements[i] = make_float4(s, y, gain, inverse_discount(by_score));
    ideal[i] = gain * inverse_discount(by_label);
  }
}

// pair_losses [N]: the loss of each element's pairs with worse elements; d_scores [N].
// Pairs of equal labels have weight 0. Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    lambda_pairs_f32(const float4* elements, const float* ideal, const int64* offsets, int groups,
                     int64 count, float* pair_losses, float* d_scores) {
  int lane = threadIdx.x % kWarp;
  int64 i = element_of_warp();
  if (i >= count) return;
  const Group group(offsets, groups, i);
  float4 own = elements[i];
  float loss = 0;
  float slope = 0;
  float max_dcg = 0;
  const float4* group_elements = elements + group.from;
  const float* group_ideal = ideal + group.from;
#pragma unroll 2
  for (int j = lane; j < group.size; j += kWarp) {
    float4 other = group_elements[j];
    max_dcg += group_ideal[j];
    bool better = own.y > other.y;
    float difference = better ? own.x - other.x : other.x - own.x;
    float weight = fabsf(own.w - other.w) * fabsf(own.z - other.z);
    float scaled = kLog2E * difference;
    float t = exp2_fast(-fabsf(scaled));
    float sigmoid = (difference >= 0 ? t : 1.0f) * reciprocal_fast(1 + t);  // of −difference
    slope = fmaf(better ? -weight : weight, sigmoid, slope);
    loss = fmaf(better ? weight : 0.0f, fmaxf(-scaled, 0) + log2_one_plus(t), loss);
  }
  loss = warp_sum(loss);
  slope = warp_sum(slope);
  max_dcg = warp_sum(max_dcg);
  if (lane == 0) {
    float inverse = max_dcg == 0 ? 0 : 1 / max_dcg;
    pair_losses[i] = loss * inverse;
    d_scores[i] = kLog2E * slope * inverse;
  }
}

// losses [groups]: sums of the elements' losses. Grid: groups; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    sum_groups_f32(const float* pair_losses, const int64* offsets, float* losses) {
  __shared__ double slots[kWarps];
  double loss = 0;
  for (int64 i = offsets[blockIdx.x] + threadIdx.x; i < offsets[blockIdx.x + 1]; i += kThreads) {
    loss += pair_losses[i];
  }
  loss = block_sum(loss, slots);
  if (threadIdx.x == 0) losses[blockIdx.x] = static_cast<float>(loss);
}
