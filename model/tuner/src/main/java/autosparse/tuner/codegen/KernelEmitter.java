package autosparse.tuner.codegen;

import autosparse.schedule.Mode;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.ScheduleGeometry.Part;
import autosparse.tuner.codegen.Accumulation.Update;
import autosparse.tuner.codegen.Accumulation.Zeroing;
import autosparse.tuner.codegen.LoopNest.Kind;
import autosparse.tuner.codegen.LoopNest.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Writes a loop nest as a C function, one loop inside the other.
 *
 * <p>Names are the schedule's: {@code i0} is a coordinate, {@code p_i0} the position of A's level
 * i0, {@code pos_i0} and {@code crd_i0} its arrays, {@code i} the coordinate on the whole axis, and
 * {@code b_k} row k of operand b. What depends on the matrix's shape is read at run time.
 */
public final class KernelEmitter {
  private final LoopNest nest;
  private final List<Loop> loops;
  private final Accumulation accumulation;
  private final Formula formula;
  private final boolean wide;
  private final CWriter out = new CWriter();

  /** Position in A's innermost open level, as an expression; 0 above the first level. */
  private String position = "0";

  /** Value of A at that position, as an expression, once the last level is open. */
  private String value = "";

  private KernelEmitter(LoopNest nest, boolean wide) {
    this.nest = nest;
    this.loops = nest.loops();
    this.accumulation = nest.accumulation();
    this.formula = Formula.of(nest.problem().op());
    this.wide = wide;
  }

  /** As {@link LoopNest#refusal}. */
  public static Optional<String> refusal(Schedule schedule, Problem problem) {
    return LoopNest.refusal(schedule, problem);
  }

  /**
   * Makes the C function of a schedule. Rows, columns and the extents of outer parts are read from
   * the matrix at run time, so that one function serves matrices of other shapes.
   *
   * @param wide whether position arrays are 64 bit
   * @param functionName a C identifier
   * @throws IllegalArgumentException if the schedule is refused, see {@link #refusal}
   */
  public static KernelSource emit(
      Schedule schedule, Problem problem, boolean wide, String functionName) {
    LoopNest nest = LoopNest.of(schedule, problem);
    return new KernelSource(functionName, new KernelEmitter(nest, wide).function(functionName));
  }

  private String function(String name) {
    out.comment(
        nest.problem().op().id()
            + nest.problem().op().denseAxis().map(a -> ", " + a + " = " + denseSize()).orElse("")
            + ": "
            + nest.schedule().canonical().encode());
    out.open(
        "void "
            + name
            + "(const as_matrix *restrict a, const float *restrict b, const float *restrict c,"
            + " float *out)");
    if (formula.operands().stream().noneMatch(operand -> operand.array().equals("c"))) {
      out.line("(void)c;");
    }
    declareMatrix();
    if (accumulation.zeroing() == Zeroing.WHOLE) {
      zeroWhole();
    }
    out.blank();
    emit(0);
    return out.close().toString();
  }

  /**
   * Threads that add to the same element break what restrict promises. (The parameter itself never
   * is: GCC 12 would then unroll-and-jam the loop over a row's nonzeros, which slowed plain SpMM
   * down. The operands' restrict is enough to vectorise.)
   */
  private String outRestrict() {
    return accumulation.update() == Update.ATOMIC_ADD ? "" : "restrict ";
  }

  private void declareMatrix() {
    out.line("const float *restrict vals = a->vals;");
    int level = 0;
    for (Loop loop : loops) {
      if (loop.kind() == Kind.DENSE_AXIS) {
        continue;
      }
      String of = "a->level[" + level++ + "].";
      if (loop.kind() == Kind.DENSE_LEVEL && loop.shape().part() != Part.INNER) {
        out.line("const int64_t extent_" + loop.name() + " = " + of + "extent;");
      }
      if (loop.kind() == Kind.COMPRESSED_LEVEL) {
        out.line("const " + positionType() + " *restrict pos_" + loop.name() + " = " + of + "pos;");
      }
      if (loop.kind() != Kind.DENSE_LEVEL) {
        out.line("const int32_t *restrict crd_" + loop.name() + " = " + of + "crd;");
      }
    }
    if (formula.accesses().anyMatch(access -> stride(access).equals("cols"))) {
      out.line("const int64_t cols = a->cols;");
    }
  }

  /** Everything from one loop inwards. */
  private void emit(int depth) {
    if (depth == accumulation.firstReduction() && accumulation.zeroing() == Zeroing.PIECE) {
      zeroPiece();
    }
    boolean sums = depth == accumulation.sumDepth() && depth < loops.size();
    if (sums) {
      out.line("float sum = 0.0f;");
    }
    if (depth == loops.size()) {
      term();
      return;
    }
    String outside = position;
    open(depth);
    emit(depth + 1);
    if (loops.get(depth).kind() != Kind.SINGLETON) {
      out.close();
    }
    position = outside;
    if (sums) {
      update(sumOverDenseLoops() ? value + " * sum" : "sum");
    }
  }

  private void open(int depth) {
    Loop loop = loops.get(depth);
    describe(loop);
    String name = loop.name();
    switch (loop.kind()) {
      case DENSE_AXIS -> out.open(forLoop(name, "0", denseLimit(loop)));
      case DENSE_LEVEL -> {
        String extent =
            loop.shape().part() == Part.INNER ? "" + loop.innerSize() : "extent_" + name;
        out.open(forLoop(name, "0", extent));
        if (position.equals("0")) {
          position = name;
        } else {
          out.line(
              "const int64_t p_" + name + " = " + position + " * " + extent + " + " + name + ";");
          position = "p_" + name;
        }
      }
      case COMPRESSED_LEVEL -> {
        String next = position.equals("0") ? "1" : position + " + 1";
        // Positions of the last level are never multiplied: they keep the width of their array,
        // which spares short rows a widening each.
        out.open(
            forLoop(
                depth == nest.lastLevelDepth() ? positionType() : "int64_t",
                "p_" + name,
                "pos_" + name + "[" + position + "]",
                "pos_" + name + "[" + next + "]"));
        position = "p_" + name;
        out.line("const int64_t " + name + " = crd_" + name + "[" + position + "];");
      }
      case SINGLETON ->
          out.line("const int64_t " + name + " = crd_" + name + "[" + position + "];");
    }
    if (depth == nest.lastLevelDepth()) {
      value = "vals[" + position + "]";
    }
    axisBegun(depth, loop);
  }

  /** What can be worked out once a loop is open, before those inside it. */
  private void axisBegun(int depth, Loop loop) {
    if (loop.kind() == Kind.DENSE_AXIS && loop.shape().part() == Part.OUTER && hasRemainder(loop)) {
      String start = loop.name() + " * " + loop.innerSize();
      out.line(
          "const int64_t extent_"
              + innerName(loop)
              + " = "
              + start
              + " + "
              + loop.innerSize()
              + " <= "
              + denseSize()
              + " ? "
              + loop.innerSize()
              + " : "
              + denseSize()
              + " - "
              + start
              + ";");
    }
    if (!loop.completesAxis()) {
      return;
    }
    if (loop.shape().part() == Part.INNER) {
      out.line(
          "const int64_t "
              + loop.axis()
              + " = "
              + loop.axis()
              + "0 * "
              + loop.innerSize()
              + " + "
              + loop.name()
              + ";");
    }
    if (depth == loops.size() - 1) {
      return;
    }
    formula
        .accesses()
        .filter(access -> access.axes().size() == 2 && access.axes().get(0).equals(loop.axis()))
        .forEach(
            access ->
                out.line(
                    (access.array().equals("out")
                            ? "float *" + outRestrict()
                            : "const float *restrict ")
                        + rowName(access)
                        + " = "
                        + access.array()
                        + " + "
                        + loop.axis()
                        + " * "
                        + stride(access)
                        + ";"));
    if (depth == nest.lastLevelDepth()) {
      out.line("const float value = " + value + ";");
      value = "value";
    }
  }

  private String positionType() {
    return wide ? "int64_t" : "int32_t";
  }

  private static String forLoop(String variable, String from, String to) {
    return forLoop("int64_t", variable, from, to);
  }

  private static String forLoop(String type, String variable, String from, String to) {
    return "for (" + type + " " + variable + " = " + from + "; " + variable + " < " + to + "; "
        + variable + "++)";
  }

  /** The comment and pragmas before a loop. */
  private void describe(Loop loop) {
    List<String> words = new ArrayList<>();
    words.add(loop.kind().toString());
    if (loop.shape().mode().filter(KernelEmitter::isNonUnique).isPresent()) {
      words.add("coordinates repeat");
    }
    if (loop.shape().part() != Part.WHOLE) {
      words.add(
          (loop.shape().part() == Part.OUTER ? "outer" : "inner") + " part of " + loop.axis());
    }
    if (loop.reduction()) {
      words.add("summed over");
    }
    if (loop.shape().vectorized() && !nest.isVectorized(loop)) {
      words.add("not vectorised: its updates are atomic");
    }
    out.comment(loop.name() + ": " + String.join(", ", words));
    if (loop.parallel()) {
      out.line(
          "#pragma omp parallel for schedule(dynamic, "
              + nest.schedule().chunk()
              + ") num_threads("
              + nest.schedule().threads()
              + ")");
    }
    if (nest.isVectorized(loop)) {
      out.line("#pragma omp simd");
    }
    if (loop.shape().unrolled()) {
      out.line("#pragma GCC unroll " + nest.schedule().unrollFactor());
    }
  }

  private static boolean isNonUnique(Mode mode) {
    return mode == Mode.COMPRESSED_NON_UNIQUE || mode == Mode.SINGLETON_NON_UNIQUE;
  }

  private void zeroWhole() {
    String count =
        formula.output().isPresent()
            ? formula.output().get().axes().stream()
                .map(this::coveredExtent)
                .collect(Collectors.joining(" * "))
            : "a->level[" + (levels() - 1) + "].positions";
    out.line("const int64_t size = " + count + ";");
    out.blank();
    out.comment(
        accumulation.update() == Update.STORE
            ? "rows without nonzeros are never reached: all start from zero"
            : "terms of one element are not all added in one place: all start from zero");
    if (nest.schedule().parallelAxis().isPresent()) {
      out.line("#pragma omp parallel for num_threads(" + nest.schedule().threads() + ")");
    }
    out.open(forLoop("n", "0", "size")).line("out[n] = 0.0f;").close();
  }

  /** Places of an axis that its levels cover, padding included; of the dense axis, its extent. */
  private String coveredExtent(String axis) {
    if (nest.problem().op().denseAxis().filter(axis::equals).isPresent()) {
      return Long.toString(denseSize());
    }
    int level = 0;
    for (Loop loop : loops) {
      if (loop.axis().equals(axis) && loop.shape().part() != Part.INNER) {
        String extent = "a->level[" + level + "].extent";
        return loop.innerSize() == 1 ? extent : extent + " * " + loop.innerSize();
      }
      level += loop.kind() == Kind.DENSE_AXIS ? 0 : 1;
    }
    throw new IllegalStateException("no outer loop over " + axis);
  }

  private void zeroPiece() {
    Formula.Access output = formula.output().orElseThrow();
    String axis = output.axes().get(output.axes().size() - 1);
    List<Loop> inside =
        loops.subList(accumulation.firstReduction(), loops.size()).stream()
            .filter(loop -> loop.axis().equals(axis))
            .toList();
    if (inside.size() == 1 && inside.get(0).shape().part() == Part.INNER) {
      Loop loop = inside.get(0);
      out.open(forLoop(loop.name(), "0", denseLimit(loop)));
      out.line(
          rowName(output)
              + "["
              + axis
              + "0 * "
              + loop.innerSize()
              + " + "
              + loop.name()
              + "] = 0.0f;");
    } else {
      out.open(forLoop(axis, "0", Long.toString(denseSize())));
      out.line(rowName(output) + "[" + axis + "] = 0.0f;");
    }
    out.close();
  }

  private String denseLimit(Loop loop) {
    return switch (loop.shape().part()) {
      case WHOLE, OUTER -> Long.toString(loop.shape().size());
      case INNER -> hasRemainder(loop) ? "extent_" + loop.name() : Long.toString(loop.innerSize());
    };
  }

  private boolean hasRemainder(Loop loop) {
    return denseSize() % loop.innerSize() != 0;
  }

  private static String innerName(Loop outer) {
    return outer.axis() + "1";
  }

  /** The statement inside all loops: one nonzero's contribution. */
  private void term() {
    String product =
        formula.operands().stream().map(this::element).collect(Collectors.joining(" * "));
    if (accumulation.sumDepth() == loops.size()) {
      update(value + " * " + (formula.operands().size() > 1 ? "(" + product + ")" : product));
    } else {
      out.line("sum += " + (sumOverDenseLoops() ? "" : value + " * ") + product + ";");
    }
  }

  /** Whether a sum runs over one nonzero only, so that A's value can wait until after it. */
  private boolean sumOverDenseLoops() {
    return accumulation.sumDepth() > nest.lastLevelDepth();
  }

  private void update(String term) {
    String target = formula.output().map(this::element).orElseGet(() -> "out[" + position + "]");
    if (accumulation.update() == Update.ATOMIC_ADD) {
      out.comment("other threads may come to the same row");
      out.line("#pragma omp atomic");
    }
    out.line(target + (accumulation.update() == Update.STORE ? " = " : " += ") + term + ";");
  }

  /** An element, through the pointer to its row where there is one. */
  private String element(Formula.Access access) {
    List<String> axes = access.axes();
    if (axes.size() == 1) {
      return access.array() + "[" + axes.get(0) + "]";
    }
    Loop innermost = loops.get(loops.size() - 1);
    return innermost.axis().equals(axes.get(0))
        ? access.array() + "[" + axes.get(0) + " * " + stride(access) + " + " + axes.get(1) + "]"
        : rowName(access) + "[" + axes.get(1) + "]";
  }

  private static String rowName(Formula.Access access) {
    return access.array() + "_" + access.axes().get(0);
  }

  /** Elements from one row of a two-dimensional array to the next, as an expression. */
  private String stride(Formula.Access access) {
    if (access.axes().size() < 2) {
      return "1";
    }
    return nest.problem().op().isSparse(access.axes().get(1)) ? "cols" : "" + denseSize();
  }

  private long denseSize() {
    return nest.problem().denseSize();
  }

  private long levels() {
    return loops.stream().filter(loop -> loop.kind() != Kind.DENSE_AXIS).count();
  }
}
