package autosparse.costmodel.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import autosparse.schedule.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BinsTest {
  private static List<float[]> column(double... values) {
    List<float[]> rows = new ArrayList<>();
    for (double value : values) {
      rows.add(new float[] {(float) value});
    }
    return rows;
  }

  @Test
  void eachBinRisesFromMinusOneToOneWhereItsValuesLie() {
    Bins bins = new Bins(new float[][] {{0, 1, 3}, {}, {-1, 0, 1, 2}});
    assertEquals(3, bins.features());
    assertEquals(5, bins.width());
    float[] out = new float[7];
    bins.apply(new float[] {9, 2, 5, -0.5f}, 1, out, 1);
    assertArrayEquals(new float[] {0, 1, 0, 0, -1, -1, 0}, out);
    bins.apply(new float[] {-7, 0, 7}, 0, out, 0);
    assertArrayEquals(new float[] {-1, -1, 1, 1, 1}, java.util.Arrays.copyOf(out, 5));
  }

  @Test
  void edgesAreQuantilesAndEqualOnesAreOne() {
    Bins bins = Bins.fit(column(5, 1, 4, 2, 3, 6, 8, 7, 9), 1, 4);
    assertArrayEquals(new float[] {1, 3, 5, 7, 9}, bins.edges()[0]);
    bins = Bins.fit(column(1, 1, 1, 1, 2, 1, 7, 1, 1), 1, 4);
    assertArrayEquals(
        new float[0], bins.edges()[0], "quantiles 1, 1, 1, 1, 7: two edges say no more");
    bins = Bins.fit(column(1, 1, 1, 2, 2, 2, 3, 3, 3), 1, 100);
    assertArrayEquals(new float[] {1, 2, 3}, bins.edges()[0]);
  }

  @Test
  void aFeatureOfTwoValuesHasNone() {
    assertEquals(0, Bins.fit(column(0, 1, 1, 0), 1, 16).width());
    assertEquals(0, Bins.fit(column(-0.0, 0, 1), 1, 16).width(), "-0 and 0 are one value");
    assertEquals(0, Bins.fit(column(3, 3), 1, 16).width());
    assertEquals(0, Bins.fit(column(1, 2, 3), 1, 0).width());
    assertEquals(0, Bins.fit(List.of(), 4, 16).width());
    assertEquals(4, Bins.fit(List.of(), 4, 16).features());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 16})
  void noDataGiveMoreThanFullBins(int most) {
    List<float[]> rows = column(new SplittableRandom(2).doubles(500).toArray());
    assertEquals(
        Bins.fit(rows, 1, most).width(), Bins.full(1, most).width(), "as many values as may be");
    assertEquals(3 * Bins.full(1, most).width(), Bins.full(3, most).width());
  }

  /** The sum of a feature's bins rises with it and is the same number only for equal values. */
  @ParameterizedTest
  @ValueSource(ints = {2, 5, 16})
  void theEncodingKeepsTheOrder(int most) {
    SplittableRandom random = new SplittableRandom(most);
    double[] values = random.doubles(200, -3, 3).map(x -> x * x * x).sorted().toArray();
    Bins bins = Bins.fit(column(values), 1, most);
    assertEquals(most, bins.width());
    double before = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      float[] out = new float[most];
      bins.apply(new float[] {(float) value}, 0, out, 0);
      double sum = 0;
      for (float part : out) {
        assertEquals(true, part >= -1 && part <= 1, "in [-1, 1]: " + part);
        sum += part;
      }
      assertEquals(true, sum > before || value == values[0], value + " after a smaller one");
      before = sum;
    }
  }

  @Test
  void encodingsFollowEachOther() {
    Bins both = new Bins(new float[][] {{0, 1, 2}}).and(new Bins(new float[][] {{}, {0, 2, 4}}));
    assertEquals(3, both.features());
    float[] out = new float[4];
    both.apply(new float[] {1, 5, 3}, 0, out, 0);
    assertArrayEquals(new float[] {1, -1, 1, 0}, out);
  }

  @Test
  void edgesThatDoNotRiseAreRefused() {
    for (float[][] edges :
        new float[][][] {
          null,
          {null},
          {{0, 1, 1}},
          {{0, 2, 1}},
          {{0, Float.NaN, 1}},
          {{0, 1, Float.POSITIVE_INFINITY}},
          {{0, 1}}
        }) {
      assertThrows(InputException.class, () -> new Bins(edges));
    }
  }
}
