package autosparse.engine.sparse;

import autosparse.engine.Tensor;

/**
 * The numbers that size tensors and that only the pattern knows. An operator on a device has them
 * in a tensor and reads them; on a planning device, where no tensor holds anything, they are
 * counted on the host.
 */
public interface SiteCounts {
  /** Reads what the device has counted, and waits for it, unless it is known. */
  SiteCounts ON_DEVICE =
      new SiteCounts() {
        @Override
        public long[] firstSites(Sites fine, int stride, Tensor firstSites) {
          return fine.counts().coarser(stride).firstSites(firstSites::toLongs);
        }

        @Override
        public long pairs(Sites fine, ConvolutionKernel kernel, Tensor counts, long at) {
          return fine.counts().pairs(kernel, () -> counts.longAt(at));
        }
      };

  /**
   * First site of each matrix on the next coarser level, then the number of its sites.
   *
   * @param firstSites I64 [B+1] where the device has them
   */
  long[] firstSites(Sites fine, int stride, Tensor firstSites);

  /**
   * Pairs of an output of a kernel and an active input; the same number in both directions.
   *
   * @param fine the kernel's inputs
   * @param counts I64 tensor whose element {@code at} is the number on the device
   */
  long pairs(Sites fine, ConvolutionKernel kernel, Tensor counts, long at);
}
