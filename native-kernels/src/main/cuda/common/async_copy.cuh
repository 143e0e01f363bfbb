// Copies from global to shared memory that run beside the arithmetic (cp.async, sm_80 and later); on sm_75 the same
// calls are plain loads and stores, so that a kernel is written once.
#pragma once

namespace autosparse {

// 16 bytes, both sides aligned to 16; zeros when `valid` is false (then `source` is not read).
__device__ inline void copy16(float* shared, const float* source, bool valid) {
#if __CUDA_ARCH__ >= 800
  const unsigned target = (unsigned)__cvta_generic_to_shared(shared);
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
#else
  const float4 zero = {0, 0, 0, 0};
  *reinterpret_cast<float4*>(shared) = valid ? *reinterpret_cast<const float4*>(source) : zero;
#endif
}

// Closes a group of copies; a group may be empty.
__device__ inline void commitCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most PENDING of this thread's latest groups are under way.
template <int PENDING>
__device__ inline void waitForCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

}  // namespace autosparse
