/** The CUDA engine: float, our kernels, everything queued on one stream. */
package autosparse.engine.cuda;
