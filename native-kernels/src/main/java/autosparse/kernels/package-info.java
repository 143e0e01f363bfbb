/** CUDA's driver and kernels from Java; the only package that knows JCuda. */
package autosparse.kernels;
