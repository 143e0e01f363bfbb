/*
 * libcublas.so.12 on top of libcublas.so.13, for JCublas2 12.6.0.
 *
 * JCuda's library asks for libcublas.so.12 by name and symbol version; CUDA 13 has only
 * libcublas.so.13, whose functions used here are the same. Loaded before JCublas2, this library
 * takes that name and jumps to the other one, which must be loaded already. Functions that are not
 * listed stay unresolved: JCublas2 binds lazily, and we call none of them.
 *
 * Built by native-kernels/build-bridge; checked in, since users have no compiler to count on.
 */
#include <dlfcn.h>
#include <stddef.h>

static int not_there(void) { return 15; /* CUBLAS_STATUS_NOT_SUPPORTED */ }

/* The arguments are left where the caller put them: the jump needs no knowledge of them. */
#define FORWARD(name)                                                  \
  __attribute__((visibility("hidden"))) void* target_##name = not_there; \
  __asm__(".globl " #name "\n"                                         \
          ".type " #name ", @function\n" #name ":\n"                   \
          "  jmp *target_" #name "(%rip)\n"                            \
          ".size " #name ", . - " #name "\n");

#define FUNCTIONS(DO)       \
  DO(cublasCreate_v2)       \
  DO(cublasDestroy_v2)      \
  DO(cublasGetVersion_v2)   \
  DO(cublasSetStream_v2)    \
  DO(cublasSetMathMode)     \
  DO(cublasSetWorkspace_v2) \
  DO(cublasSgemm_v2)        \
  DO(cublasGemmEx)

FUNCTIONS(FORWARD)

#define RESOLVE(name)                        \
  {                                          \
    void* found = dlsym(library, #name);     \
    target_##name = found ? found : not_there; \
  }

__attribute__((constructor)) static void resolve(void) {
  void* library = dlopen("libcublas.so.13", RTLD_LAZY | RTLD_NOLOAD);
  if (library != NULL) {
    FUNCTIONS(RESOLVE)
  }
}
