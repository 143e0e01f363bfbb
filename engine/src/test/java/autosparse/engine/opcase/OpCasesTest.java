package autosparse.engine.opcase;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.engine.operators.AttentionOperators;
import autosparse.engine.operators.ElementwiseOperators;
import autosparse.engine.operators.EmbeddingOperators;
import autosparse.engine.operators.GemmOperators;
import autosparse.engine.operators.NormalizationOperators;
import autosparse.engine.operators.OptimizerOperators;
import autosparse.engine.operators.RankingLossOperators;
import autosparse.engine.operators.ReductionOperators;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpCasesTest {
  @Test
  void namesAreUnique() {
    List<String> names = OpCases.all().stream().map(OpCase::name).toList();
    assertEquals(new HashSet<>(names).size(), names.size());
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        GemmOperators.class,
        ElementwiseOperators.class,
        ReductionOperators.class,
        EmbeddingOperators.class,
        NormalizationOperators.class,
        AttentionOperators.class,
        RankingLossOperators.class,
        OptimizerOperators.class
      })
  void everyOperatorHasACaseThatStartsWithItsName(Class<?> family) {
    Set<String> covered = new HashSet<>();
    for (OpCase operator : OpCases.all()) {
      covered.add(operator.name().split(" ", -1)[0]);
    }
    for (Method method : family.getDeclaredMethods()) {
      boolean operator =
          Modifier.isPublic(method.getModifiers()) && Modifier.isFinal(method.getModifiers());
      assertTrue(!operator || covered.contains(method.getName()), () -> "no case: " + method);
    }
  }

  @Test
  void tableHasARowForEachCase() {
    assertEquals(OpCases.all().size() + 2, OpCases.table().lines().count());
  }
}
