// Ranking losses over groups of scores, with their gradients.
//
// A warp owns an element and visits all elements of its group, lane by lane; so every gradient has
// one owner, memory is O(N) and any N is right. Ranks are counted, not sorted for: an element's rank
// is the number of elements before it. That is O(N²) too, but every comparison is independent and
// costs a fifth of the pair's own work, while a sort of one group is 78 dependent steps at 4,096
// elements on one multiprocessor.
// Sums: each lane adds its elements in order, the lanes are added by a fixed tree, and the losses of
// a group by one block in double precision.
//   bytes O(N) from memory, the rest from cache; per ordered pair, margin about 8 instructions,
//   LambdaRank 6 to rank and about 30 for the loss, 3 of them special functions
// Bound: instructions.
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;

struct Group {
  long long from;
  long long to;
};

// The group of an element: the last one that starts at or before it.
__device__ __forceinline__ Group groupOf(
    const long long* offsets, int groups, long long element) {
  int low = 0;
  int high = groups;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (offsets[middle] <= element) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return Group{offsets[low], offsets[low + 1]};
}

__device__ __forceinline__ long long elementOfWarp() {
  return (long long)blockIdx.x * WARPS + threadIdx.x / WARP;
}

// 1/log2(1 + rank) of the element with `before` elements before it.
__device__ __forceinline__ float inverseDiscount(long long before) {
  return 1 / log2f(2.0f + (float)before);
}

// log2(1 + t) of t in [0, 1], without losing small t to the 1.
__device__ __forceinline__ float log2OnePlus(float t) {
  float series = LOG2_E * t * fmaf(t, fmaf(t, fmaf(t, -0.25f, 1.0f / 3), -0.5f), 1.0f);
  return t < 1.0f / 64 ? series : log2Fast(1 + t);
}

}  // namespace
}  // namespace autosparse

// Sums of each element's pairs with worse elements, before the division by the number of pairs:
// violations [N] the loss, worse [N] the pairs, dScores [N] the pairs that push it, signed.
// Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256) ranking_margin_pairs(
    const float* scores,
    const float* labels,
    const long long* offsets,
    int groups,
    long long count,
    float margin,
    float* violations,
    int* worse,
    float* dScores) {
  using namespace autosparse;
  int lane = threadIdx.x % WARP;
  long long i = elementOfWarp();
  if (i >= count) return;
  Group group = groupOf(offsets, groups, i);
  float s = scores[i];
  float y = labels[i];
  float loss = 0;
  int pairs = 0;
  int push = 0;
#pragma unroll 4
  for (long long j = group.from + lane; j < group.to; j += WARP) {
    float difference = s - scores[j];
    float other = labels[j];
    bool better = y > other;
    float violation = margin - (better ? difference : -difference);
    bool violated = violation > 0;
    pairs += better;
    loss += better && violated ? violation : 0.0f;
    push += violated ? (y < other) - better : 0;
  }
  loss = warpSum(loss);
  pairs = warpSum(pairs);
  push = warpSum(push);
  if (lane == 0) {
    violations[i] = loss;
    worse[i] = pairs;
    dScores[i] = (float)push;
  }
}

// Divides by each group's number of pairs. Grid: groups; 256 threads.
extern "C" __global__ void __launch_bounds__(256) ranking_margin_finish(
    const float* violations,
    const int* worse,
    const long long* offsets,
    float* losses,
    float* dScores) {
  using namespace autosparse;
  __shared__ double slots[WARPS];
  long long from = offsets[blockIdx.x];
  long long to = offsets[blockIdx.x + 1];
  double pairs = 0;
  double loss = 0;
  for (long long i = from + threadIdx.x; i < to; i += THREADS) {
    pairs += worse[i];
    loss += violations[i];
  }
  pairs = blockSum(pairs, slots);
  loss = blockSum(loss, slots);
  double inverse = pairs == 0 ? 0 : 1 / pairs;
  if (threadIdx.x == 0) losses[blockIdx.x] = (float)(loss * inverse);
  for (long long i = from + threadIdx.x; i < to; i += THREADS) {
    dScores[i] = (float)(dScores[i] * inverse);
  }
}

// elements [N] of {score, label, gain 2^y − 1, 1/D of the rank by score}, ideal [N]: the gain over
// the discount of the rank by label. Ties rank by ascending index. Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256) ranking_lambda_ranks(
    const float* scores,
    const float* labels,
    const long long* offsets,
    int groups,
    long long count,
    float4* elements,
    float* ideal) {
  using namespace autosparse;
  int lane = threadIdx.x % WARP;
  long long i = elementOfWarp();
  if (i >= count) return;
  Group group = groupOf(offsets, groups, i);
  float s = scores[i];
  float y = labels[i];
  int byScore = 0;
  int byLabel = 0;
#pragma unroll 4
  for (long long j = group.from + lane; j < group.to; j += WARP) {
    float otherScore = scores[j];
    float otherLabel = labels[j];
    bool earlier = j < i;
    byScore += otherScore > s || (otherScore == s && earlier);
    byLabel += otherLabel > y || (otherLabel == y && earlier);
  }
  byScore = warpSum(byScore);
  byLabel = warpSum(byLabel);
  if (lane == 0) {
    float gain = expm1f(LN_2 * y);
    elements[i] = make_float4(s, y, gain, inverseDiscount(byScore));
    ideal[i] = gain * inverseDiscount(byLabel);
  }
}

// pairLosses [N]: the loss of each element's pairs with worse elements; dScores [N].
// Pairs of equal labels have weight 0. Grid: N / 8; 256 threads.
extern "C" __global__ void __launch_bounds__(256) ranking_lambda_pairs(
    const float4* elements,
    const float* ideal,
    const long long* offsets,
    int groups,
    long long count,
    float* pairLosses,
    float* dScores) {
  using namespace autosparse;
  int lane = threadIdx.x % WARP;
  long long i = elementOfWarp();
  if (i >= count) return;
  Group group = groupOf(offsets, groups, i);
  float4 own = elements[i];
  float loss = 0;
  float slope = 0;
  float maxDcg = 0;
#pragma unroll 2
  for (long long j = group.from + lane; j < group.to; j += WARP) {
    float4 other = elements[j];
    maxDcg += ideal[j];
    bool better = own.y > other.y;
    float difference = better ? own.x - other.x : other.x - own.x;
    float weight = fabsf(own.w - other.w) * fabsf(own.z - other.z);
    float scaled = LOG2_E * difference;
    float t = exp2Fast(-fabsf(scaled));
    float sigmoid = __fdividef(difference >= 0 ? t : 1.0f, 1 + t);  // of −difference
    slope = fmaf(better ? -weight : weight, sigmoid, slope);
    loss = fmaf(better ? weight : 0.0f, fmaxf(-scaled, 0) + log2OnePlus(t), loss);
  }
  loss = warpSum(loss);
  slope = warpSum(slope);
  maxDcg = warpSum(maxDcg);
  if (lane == 0) {
    float inverse = maxDcg == 0 ? 0 : 1 / maxDcg;
    pairLosses[i] = loss * inverse;
    dScores[i] = LOG2_E * slope * inverse;
  }
}

// losses [groups]: sums of the elements' losses. Grid: groups; 256 threads.
extern "C" __global__ void __launch_bounds__(256) ranking_sum_groups(
    const float* pairLosses, const long long* offsets, float* losses) {
  using namespace autosparse;
  __shared__ double slots[WARPS];
  double loss = 0;
  for (long long i = offsets[blockIdx.x] + threadIdx.x; i < offsets[blockIdx.x + 1];
       i += THREADS) {
    loss += pairLosses[i];
  }
  loss = blockSum(loss, slots);
  if (threadIdx.x == 0) losses[blockIdx.x] = (float)loss;
}
