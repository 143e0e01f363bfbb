/** The CUDA engine: float, tf32 or bfloat16, our kernels, everything queued on one stream. */
package autosparse.engine.cuda;
