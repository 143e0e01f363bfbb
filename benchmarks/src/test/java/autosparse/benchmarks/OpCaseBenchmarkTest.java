package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.opcase.OpCase;
import autosparse.engine.opcase.OpCases;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Param;

/** Every operator of the registry has its benchmark, in the class of its family. */
final class OpCaseBenchmarkTest {
  private static final Map<String, Class<? extends OpCaseBenchmark>> FAMILIES = families();

  private static Map<String, Class<? extends OpCaseBenchmark>> families() {
    Map<String, Class<? extends OpCaseBenchmark>> families = new LinkedHashMap<>();
    families.put("gemm", GemmBenchmark.class);
    families.put("elementwise", ElementwiseBenchmark.class);
    families.put("reduction", ReductionBenchmark.class);
    families.put("embedding", EmbeddingBenchmark.class);
    families.put("normalization", NormalizationBenchmark.class);
    families.put("attention", AttentionBenchmark.class);
    families.put("sparse pattern", SparsePatternBenchmark.class);
    families.put("sparse convolution", SparseConvolutionBenchmark.class);
    families.put("pooling", PoolingBenchmark.class);
    families.put("rankingLoss", RankingLossBenchmark.class);
    families.put("optimizer", OptimizerBenchmark.class);
    return families;
  }

  @Test
  void everyCaseIsAParameterOfItsFamily() throws NoSuchFieldException {
    Map<String, List<String>> registry = new LinkedHashMap<>();
    for (OpCase operator : OpCases.all()) {
      registry.computeIfAbsent(operator.family(), f -> new ArrayList<>()).add(operator.name());
    }
    assertEquals(registry.keySet(), FAMILIES.keySet());
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    for (String family : registry.keySet()) {
      Class<?> benchmark = FAMILIES.get(family);
      Param param = benchmark.getField("operator").getAnnotation(Param.class);
      parameters.put(family, List.of(param.value()));
    }
    assertEquals(registry, parameters);
  }

  @Test
  void aBenchmarkRunsAndCounts() {
    PoolingBenchmark benchmark = new PoolingBenchmark();
    benchmark.operator = "global average C=8";
    benchmark.device = "cpu";
    benchmark.precision = "auto";
    benchmark.threads = 1;
    benchmark.open();
    benchmark.measureCeilings();
    Measured measured = new Measured();
    benchmark.run(measured);
    benchmark.run(measured);
    benchmark.close();
    assertEquals(2, measured.calls());
    assertEquals(measured.timeMs(), measured.hostMs());
    assertTrue(measured.gbytePerSecond() > 0 && measured.gflopPerSecond() > 0);
    assertEquals(measured.floorMs() / measured.timeMs(), measured.share(), 1e-12);
    assertTrue(measured.share() > 0);
    measured.clear();
    assertEquals(0, measured.calls());
    assertTrue(Double.isNaN(measured.timeMs()));
  }
}
