package autosparse.engine.opcase;

import java.util.List;
import java.util.stream.Stream;

/**
 * Cases of the sparse families: patterns, convolution, pooling. The free size is the number of
 * sites of a batch of four matrices, one without rows and one without sites.
 */
public final class SparseCases {
  private SparseCases() {}

  public static List<OpCase> all() {
    return Stream.of(SparsePatternCases.all(), SparseConvolutionCases.all(), PoolingCases.all())
        .flatMap(List::stream)
        .toList();
  }
}
