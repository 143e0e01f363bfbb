package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Sparse convolution, forward and backward. */
public class SparseConvolutionBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code sparse convolution}. */
  @Param({
    "convolution 3x3 stride 1 dilation 1 32->8 relu density 0.4",
    "convolution 3x3 stride 1 dilation 1 32->8 density 0.4",
    "convolution backward 3x3 stride 1 dilation 1 32->8 density 0.4",
    "convolution backward 3x3 stride 1 dilation 1 32->8 dx only density 0.4",
    "convolution backward 3x3 stride 1 dilation 1 32->8 dWeight only density 0.4",
    "convolution 3x3 stride 1 dilation 2 8->8 relu density 0.02",
    "convolution 3x3 stride 1 dilation 2 8->8 density 0.02",
    "convolution backward 3x3 stride 1 dilation 2 8->8 density 0.02",
    "convolution backward 3x3 stride 1 dilation 2 8->8 dx only density 0.02",
    "convolution backward 3x3 stride 1 dilation 2 8->8 dWeight only density 0.02",
    "convolution 3x3 stride 1 dilation 3 8->8 relu density 0.8",
    "convolution 3x3 stride 1 dilation 3 8->8 density 0.8",
    "convolution backward 3x3 stride 1 dilation 3 8->8 density 0.8",
    "convolution backward 3x3 stride 1 dilation 3 8->8 dx only density 0.8",
    "convolution backward 3x3 stride 1 dilation 3 8->8 dWeight only density 0.8",
    "convolution 3x3 stride 2 dilation 1 8->32 relu density 0.3",
    "convolution 3x3 stride 2 dilation 1 8->32 density 0.3",
    "convolution backward 3x3 stride 2 dilation 1 8->32 density 0.3",
    "convolution backward 3x3 stride 2 dilation 1 8->32 dx only density 0.3",
    "convolution backward 3x3 stride 2 dilation 1 8->32 dWeight only density 0.3",
    "convolution 3x3 stride 2 dilation 1 32->32 relu density 0.02",
    "convolution 3x3 stride 2 dilation 1 32->32 density 0.02",
    "convolution backward 3x3 stride 2 dilation 1 32->32 density 0.02",
    "convolution backward 3x3 stride 2 dilation 1 32->32 dx only density 0.02",
    "convolution backward 3x3 stride 2 dilation 1 32->32 dWeight only density 0.02",
    "convolution 3x3 stride 1 dilation 1 128->32 relu density 0.2",
    "convolution 3x3 stride 1 dilation 1 128->32 density 0.2",
    "convolution backward 3x3 stride 1 dilation 1 128->32 density 0.2",
    "convolution backward 3x3 stride 1 dilation 1 128->32 dx only density 0.2",
    "convolution backward 3x3 stride 1 dilation 1 128->32 dWeight only density 0.2",
    "convolution 5x5 stride 1 dilation 1 1->32 relu density 0.3",
    "convolution 5x5 stride 1 dilation 1 1->32 density 0.3",
    "convolution backward 5x5 stride 1 dilation 1 1->32 density 0.3",
    "convolution backward 5x5 stride 1 dilation 1 1->32 dx only density 0.3",
    "convolution backward 5x5 stride 1 dilation 1 1->32 dWeight only density 0.3",
    "convolution 3x3 stride 1 dilation 1 32->128 relu density 0.3",
    "convolution backward 3x3 stride 1 dilation 1 32->128 density 0.3",
    "convolution 3x3 stride 1 dilation 1 64->64 relu density 0.3",
    "convolution backward 3x3 stride 1 dilation 1 64->64 density 0.3",
    "convolution 3x3 stride 1 dilation 1 64->128 relu density 0.3",
    "convolution backward 3x3 stride 1 dilation 1 64->128 density 0.3",
    "convolution 3x3 stride 1 dilation 1 128->128 relu density 0.3",
    "convolution backward 3x3 stride 1 dilation 1 128->128 density 0.3",
    "convolution 5x5 stride 2 dilation 2 3->5 relu density 0.5",
    "convolution 5x5 stride 2 dilation 2 3->5 density 0.5",
    "convolution backward 5x5 stride 2 dilation 2 3->5 density 0.5",
    "convolution backward 5x5 stride 2 dilation 2 3->5 dx only density 0.5",
    "convolution backward 5x5 stride 2 dilation 2 3->5 dWeight only density 0.5",
    "convolution 1x1 stride 1 dilation 1 7->1 relu density 0.5",
    "convolution 1x1 stride 1 dilation 1 7->1 density 0.5",
    "convolution backward 1x1 stride 1 dilation 1 7->1 density 0.5",
    "convolution backward 1x1 stride 1 dilation 1 7->1 dx only density 0.5",
    "convolution backward 1x1 stride 1 dilation 1 7->1 dWeight only density 0.5",
    "convolution of ones 5x5 stride 1 dilation 1 1->32 relu density 0.02",
    "convolution of ones 5x5 stride 1 dilation 1 1->32 density 0.02",
    "convolution of ones backward 5x5 stride 1 dilation 1 1->32 density 0.02",
    "convolution of ones 5x5 stride 1 dilation 1 1->32 relu density 0.6",
    "convolution of ones 5x5 stride 1 dilation 1 1->32 density 0.6",
    "convolution of ones backward 5x5 stride 1 dilation 1 1->32 density 0.6",
    "convolution of ones 3x3 stride 1 dilation 2 1->5 density 0.3",
    "convolution of ones backward 3x3 stride 1 dilation 2 1->5 density 0.3"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
