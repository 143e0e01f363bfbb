package autosparse.costmodel.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.costmodel.ModelConfig.TokenForm;
import autosparse.costmodel.SyntheticData;
import autosparse.schedule.Op;
import autosparse.schedule.PatternCounts;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry;
import autosparse.schedule.ScheduleWork;
import autosparse.schedule.SourceLocation;
import autosparse.schedule.SparsityPattern;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TokenizerTest {
  /** The reference's decoded example. */
  private static final String EXAMPLE =
      "2 i 2 i0 256 i1 16 k 2 k0 4096 k1 16 1 A 4 i0 i1 k0 k1 A 4 i0 1 i1 1 k0 1 k1 1 "
          + "1 j 2 j0 2 j1 64 6 j0 i0 i1 k0 k1 j1 j0 j1 None 0 128 512";

  private static final String NO_OP = "0 1 A 2 i k A 2 i 0 k 1 0 0 None None None 0 104 64";

  /** Rows split by 16, columns by 4, dense axis by 64; four threads take two rows' blocks each. */
  private static final String BY_HAND =
      "2 i 2 i0 4 i1 16 k 2 k0 8 k1 4 1 A 4 i0 k0 i1 k1 A 4 i0 0 i1 1 k0 1 k1 0 "
          + "1 j 2 j0 2 j1 64 6 i0 j0 k0 i1 k1 j1 i0 j1 None 0 4 2";

  private static final Problem PROBLEM = Problem.of(Op.SPMM, 5000, 70000, 7000);

  /** Read by work features only. */
  private static final PatternCounts COUNTS = SyntheticData.pattern("m", 40, 30, 4, 1).counts();

  private static Schedule parse(String line) {
    return Schedule.parse(line, new SourceLocation("test", 1));
  }

  private static Tokenizer tokenizer(TokenForm form, boolean derived) {
    Optional<Scaling> scaling =
        derived ? Optional.of(Scaling.identity(DerivedFeatures.COUNT)) : Optional.empty();
    return new Tokenizer(form, scaling, Optional.empty(), Bins.none(0), Scaling.identity(4));
  }

  /** A schedule's tokens, in order. */
  private static float[][] tokens(Tokenizer tokenizer, Problem problem, Schedule schedule) {
    TaskTokens task = tokenizer.tokenize(COUNTS, problem, List.of(schedule));
    return Arrays.stream(task.sequences()[0])
        .mapToObj(row -> task.table()[row])
        .toArray(float[][]::new);
  }

  /** Which one-hot is set; the others must not be. */
  private static int kind(Tokenizer tokenizer, float[] token) {
    int kind = -1;
    for (int k = 0; k < tokenizer.kinds(); k++) {
      if (token[k] != 0) {
        assertEquals(1, token[k]);
        assertEquals(-1, kind, "one one-hot a token");
        kind = k;
      }
    }
    return kind;
  }

  private static List<Integer> kinds(Tokenizer tokenizer, float[][] tokens) {
    return Arrays.stream(tokens).map(token -> kind(tokenizer, token)).toList();
  }

  @Test
  void publishedTokensOfTheDecodedExample() {
    Tokenizer tokenizer = tokenizer(TokenForm.PUBLISHED, false);
    assertEquals(11, tokenizer.kinds());
    assertEquals(128, tokenizer.width());
    float[][] content = {
      {1, 4, 256, 5, 16},
      {3, 8, 4096, 9, 16},
      {10, 4, 5, 8, 9},
      {10, 4, 1, 5, 1, 8, 1, 9, 1},
      {2, 6, 2, 7, 64},
      {6, 4, 5, 8, 9, 7},
      {6},
      {0, 0},
      {7},
      {128, 512},
      {5000, 70000, 7000, 2e-5f}
    };
    float[][] tokens = tokens(tokenizer, PROBLEM, parse(EXAMPLE));
    assertEquals(List.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), kinds(tokenizer, tokens));
    for (int t = 0; t < tokens.length; t++) {
      float[] expected = new float[128 - 11];
      System.arraycopy(content[t], 0, expected, 0, content[t].length);
      assertArrayEquals(expected, Arrays.copyOfRange(tokens[t], 11, 128), "token " + t);
    }
  }

  @ParameterizedTest
  @CsvSource({"SPMV, 10", "SPMM, 11", "SDDMM, 13"})
  void tokensOfEachOperator(Op op, int count) {
    Problem problem = Problem.of(op, 100, 60, 500);
    Schedule schedule = SyntheticData.schedules(problem, 1, 5).get(0);
    for (TokenForm form : TokenForm.values()) {
      assertEquals(count, tokens(tokenizer(form, false), problem, schedule).length);
    }
    Tokenizer derived = tokenizer(TokenForm.NORMALIZED, true);
    float[][] tokens = tokens(derived, problem, schedule);
    assertEquals(count + 1, tokens.length);
    assertEquals(11, kind(derived, tokens[count]), "the derived features come last");
    assertEquals(12 + DerivedFeatures.COUNT, derived.width());
    assertEquals(
        switch (op) {
          case SPMV -> List.of(0, 0, 1, 2, 4, 5, 6, 7, 8, 9, 11);
          case SPMM -> List.of(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11);
          case SDDMM -> List.of(0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 11);
        },
        kinds(derived, tokens));
  }

  @Test
  void thePlainScheduleHasNoSplits() {
    Tokenizer published = tokenizer(TokenForm.PUBLISHED, false);
    float[][] tokens = tokens(published, PROBLEM, parse(NO_OP));
    assertEquals(List.of(1, 2, 4, 5, 6, 7, 8, 9), kinds(published, tokens));
    float[] empty = new float[128];
    empty[4] = 1;
    assertArrayEquals(empty, tokens[2], "the published form leaves implicit loops out");
    Tokenizer normalized = tokenizer(TokenForm.NORMALIZED, true);
    tokens = tokens(normalized, PROBLEM, parse(NO_OP));
    assertEquals(List.of(1, 2, 4, 5, 6, 7, 8, 9, 11), kinds(normalized, tokens));
    float[] order = Arrays.copyOfRange(tokens[2], 12, 12 + 36 + 3);
    float[] expected = new float[39];
    expected[0] = 1; // rows
    expected[6 + 2] = 1; // columns
    expected[12 + 4] = 1; // the dense axis
    expected[36] = size(5000);
    expected[37] = size(70000);
    expected[38] = size(128);
    assertArrayEquals(expected, order, 1e-6f);
  }

  private static float size(double size) {
    return (float) (Math.log1p(size) / Math.log(2) / 10);
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void normalizedValuesAreBounded(Op op) {
    Tokenizer tokenizer = tokenizer(TokenForm.NORMALIZED, true);
    for (Problem problem :
        List.of(Problem.of(op, 1, 1, 1), Problem.of(op, 20_000_000, 3_000_000, 900_000_000))) {
      for (Schedule schedule : SyntheticData.schedules(problem, 50, 3)) {
        for (float[] token : tokens(tokenizer, problem, schedule)) {
          for (float value : token) {
            assertTrue(value >= 0 && value <= 4, value + " in " + schedule);
          }
        }
      }
    }
  }

  @Test
  void derivedFeaturesByHand() {
    Problem problem = Problem.of(Op.SPMM, 100, 60, 500);
    float[] expected = new float[168];
    // In loop order: role, size, mode.
    int[] roles = {0, 4, 2, 1, 3, 5};
    int[] sizes = {7, 2, 15, 16, 4, 64};
    int[] modes = {0, -1, 1, 1, 0, -1};
    for (int p = 0; p < 6; p++) {
      int at = roles[p] * 16;
      expected[at] = size(sizes[p]);
      expected[at + 1] = (p + 1) / 6f;
      expected[at + 2 + p] = 1;
      if (modes[p] >= 0) {
        expected[at + 8 + modes[p]] = 1;
      }
      expected[113 + p] = size(sizes[p]);
      expected[119 + 7 * p + (modes[p] >= 0 ? modes[p] : 5)] = 1;
    }
    expected[13] = 1; // i0 is parallel
    expected[5 * 16 + 14] = 1; // j1 is vectorised
    expected[119 + 6] = 1; // i0 belongs to the rows,
    expected[119 + 3 * 7 + 6] = 1; // so does i1
    float[] globals = {
      0, // unroll factor
      size(2), // chunk
      1,
      1,
      0, // parallel, vectorised, unrolled
      size(7), // iterations of i0
      size(3.5), // chunks
      0.875f, // chunks per thread
      size(1), // rounds
      size(1) / 2, // how often the parallel loop is entered
      size(64), // innermost loop
      size(4), // the one around it
      size(100) / 2,
      size(60) / 2,
      size(500) / 2.4f,
      size(5), // nonzeros per row
      1 // the innermost loop is dense and vectorised
    };
    System.arraycopy(globals, 0, expected, 96, globals.length);
    int[] stored = {7, 15, 16, 4};
    for (int level = 0; level < 4; level++) {
      expected[161 + level] = size(stored[level]);
    }
    expected[166] = 1; // SpMM
    assertEquals(168, DerivedFeatures.COUNT);
    assertArrayEquals(
        expected, DerivedFeatures.of(ScheduleGeometry.of(parse(BY_HAND), problem)), 1e-6f);
  }

  @Test
  void equalTokensAreKeptOnce() {
    Schedule first = parse(BY_HAND);
    Schedule other = parse(BY_HAND.replaceAll("4 2$", "4 64"));
    TaskTokens task =
        tokenizer(TokenForm.NORMALIZED, true)
            .tokenize(COUNTS, PROBLEM, List.of(first, other, first));
    int[][] sequences = task.sequences();
    assertArrayEquals(sequences[0], sequences[2]);
    for (int t = 0; t < 12; t++) {
      if (t == 9 || t == 11) { // OpenMP, derived features
        assertNotEquals(sequences[0][t], sequences[1][t]);
      } else {
        assertEquals(sequences[0][t], sequences[1][t]);
      }
    }
    assertEquals(14, task.table().length);
    List<Schedule> many = SyntheticData.schedules(PROBLEM, 200, 9);
    task = tokenizer(TokenForm.NORMALIZED, true).tokenize(COUNTS, PROBLEM, many);
    Set<String> rows = new HashSet<>();
    for (float[] row : task.table()) {
      assertTrue(rows.add(Arrays.toString(row)), "a row twice");
    }
    Tokenizer tokenizer = tokenizer(TokenForm.NORMALIZED, true);
    for (int s = 0; s < many.size(); s++) {
      float[][] alone = tokens(tokenizer, PROBLEM, many.get(s));
      for (int t = 0; t < alone.length; t++) {
        assertArrayEquals(alone[t], task.table()[task.sequences()[s][t]]);
      }
    }
  }

  @Test
  void nominalOuterSizesDoNotReachNormalizedTokens() {
    Tokenizer tokenizer = tokenizer(TokenForm.NORMALIZED, true);
    Schedule stated = parse(BY_HAND);
    Schedule unstated = stated.canonical();
    assertNotEquals(stated, unstated);
    assertArrayEquals(
        tokens(tokenizer, PROBLEM, stated), tokens(tokenizer, PROBLEM, unstated), "outer sizes");
  }

  @Test
  void scalingStandardises() {
    Scaling scaling =
        Scaling.fit(
            List.of(new float[] {1, 5, 0}, new float[] {3, 5, 0}, new float[] {5, 5, 0}), 3);
    float[] out = new float[5];
    scaling.apply(new float[] {5, 5, 1}, out, 1);
    assertEquals(0, out[0]);
    assertEquals(2 / (Math.sqrt(8 / 3.0) + 1e-3), out[1], 1e-5);
    assertEquals(0, out[2], "a constant stays at 0");
    assertEquals(1000, out[3], 0.1);
    assertEquals(0, out[4]);
    Scaling.fit(List.of(), 3).apply(new float[] {5, -2, 1}, out, 2);
    assertArrayEquals(new float[] {5, -2, 1}, Arrays.copyOfRange(out, 2, 5));
  }

  @Test
  void binsFollowInTheDerivedTokenAlone() {
    Bins bins = Bins.none(DerivedFeatures.COUNT);
    bins.edges()[0] = new float[] {0, 0.25f, 0.5f, 1};
    Tokenizer tokenizer =
        new Tokenizer(
            TokenForm.NORMALIZED,
            Optional.of(Scaling.identity(DerivedFeatures.COUNT)),
            Optional.empty(),
            bins,
            Scaling.identity(4));
    int at = 12 + DerivedFeatures.COUNT;
    assertEquals(at, tokenizer.storedWidth());
    assertEquals(at + 3, tokenizer.width());
    for (float[] stored : tokens(tokenizer, PROBLEM, parse(BY_HAND))) {
      float[] read = new float[at + 4];
      tokenizer.write(stored, read, 1);
      assertArrayEquals(stored, Arrays.copyOfRange(read, 1, 1 + at), "what is stored, as it is");
      float[] expected = new float[3];
      if (kind(tokenizer, stored) == 11) {
        bins.apply(stored, 12, expected, 0);
        assertEquals(1, expected[0], "a first loop of more than one iteration");
      }
      assertArrayEquals(expected, Arrays.copyOfRange(read, 1 + at, 4 + at));
    }
  }

  @Test
  void workFeaturesFollowInTheDerivedToken() {
    SparsityPattern pattern = SyntheticData.pattern("m", 100, 60, 5, 3);
    Problem problem = Problem.of(Op.SPMM, pattern);
    Tokenizer tokenizer =
        new Tokenizer(
            TokenForm.NORMALIZED,
            Optional.of(Scaling.identity(DerivedFeatures.COUNT)),
            Optional.of(Scaling.identity(WorkFeatures.COUNT)),
            Bins.none(0),
            Scaling.identity(4));
    int at = 12 + DerivedFeatures.COUNT;
    assertEquals(at + WorkFeatures.COUNT, tokenizer.width());
    Schedule schedule = parse(BY_HAND);
    TaskTokens task = tokenizer.tokenize(pattern.counts(), problem, List.of(schedule));
    int[] sequence = task.sequences()[0];
    float[] last = task.table()[sequence[sequence.length - 1]];
    assertEquals(11, kind(tokenizer, last));
    ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
    assertArrayEquals(DerivedFeatures.of(geometry), Arrays.copyOfRange(last, 12, at));
    assertArrayEquals(
        WorkFeatures.of(geometry, pattern.counts()), Arrays.copyOfRange(last, at, last.length));
  }

  @Test
  void workFeaturesByHand() {
    SparsityPattern pattern = SyntheticData.pattern("m", 100, 60, 5, 3);
    ScheduleGeometry geometry = ScheduleGeometry.of(parse(BY_HAND), Problem.of(Op.SPMM, pattern));
    ScheduleWork work = ScheduleWork.of(geometry, pattern.counts());
    float[] features = WorkFeatures.of(geometry, pattern.counts());
    assertEquals(54, WorkFeatures.COUNT);
    assertEquals(54, features.length);
    // The first level is dense: 7 blocks of 16 rows. The second is compressed.
    assertEquals(size(7) / 2, features[0], 1e-6f);
    assertEquals(size(7), features[1], 1e-6f);
    double blocks = work.positions().get(1);
    assertEquals(size(blocks) / 2, features[2], 1e-6f);
    assertEquals(size(blocks / 7), features[3], 1e-6f);
    // The loops: i0, then j0 twice for each.
    assertEquals(size(7) / 3, features[8], 1e-6f);
    assertEquals(size(14) / 3, features[12], 1e-6f);
    assertEquals(size(2), features[13], 1e-6f);
    // Trips by role: rows outer, rows inner, columns outer, ...
    assertEquals(size(7), features[32], 1e-6f);
    assertEquals(size(2), features[32 + 4], 1e-6f);
    int globals = 38;
    assertEquals(
        size(work.positions().get(3) / pattern.nnz()) * 2, features[globals], 1e-6f, "padding");
    assertEquals(size(1) / 2, features[globals + 11], 1e-6f, "parallel loop started once");
    assertEquals(size(4), features[globals + 12], 1e-6f, "7 blocks in chunks of 2");
    assertEquals(size(1 / work.spanShare()) / 0.7f, features[globals + 15], 1e-6f);
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void workFeaturesAreBounded(Op op) {
    SparsityPattern pattern = SyntheticData.pattern("m", 200, 90, 4, 6);
    SparsityPattern empty = SyntheticData.pattern("e", 200, 90, 0, 6);
    Problem problem = Problem.of(op, pattern);
    for (Schedule schedule : SyntheticData.schedules(problem, 100, 3)) {
      ScheduleGeometry geometry = ScheduleGeometry.of(schedule, problem);
      for (SparsityPattern of : List.of(pattern, empty)) {
        for (float value : WorkFeatures.of(geometry, of.counts())) {
          assertTrue(value >= 0 && value <= 4, value + " in " + schedule);
        }
      }
    }
  }
}
