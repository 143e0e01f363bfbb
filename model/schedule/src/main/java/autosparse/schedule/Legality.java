package autosparse.schedule;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Whether a schedule can be compiled for an operator: AutoSparse's format rules (reference
 * "Schedules and data", section 1) and what the loop transformations need.
 *
 * <p>A level of size 1 may carry any mode. The nine further rules that AutoSparse publishes for
 * such levels are left out on purpose: they allow singletons there that our generator never emits.
 */
public final class Legality {
  /**
   * One broken rule.
   *
   * @param rule which
   * @param values the axes, modes or numbers that break it
   */
  public record Violation(Rule rule, String values) {
    /** {@code RULE: values (description)}. */
    @Override
    public String toString() {
      return rule + ": " + values + " (" + rule.description() + ")";
    }
  }

  private final Schedule schedule;
  private final Op op;
  private final ToLongFunction<String> sizes;
  private final List<Violation> violations = new ArrayList<>();

  private Legality(Schedule schedule, Op op, ToLongFunction<String> sizes) {
    this.schedule = schedule;
    this.op = op;
    this.sizes = sizes;
  }

  /**
   * Checks a schedule without knowing the matrix: a level counts as of size 1 only where the
   * schedule states so itself.
   *
   * @return the broken rules; empty = legal
   */
  public static List<Violation> check(Schedule schedule, Op op) {
    return new Legality(schedule, op, name -> statedSize(schedule, name)).run();
  }

  /**
   * Checks a schedule on a matrix's shape.
   *
   * @return the broken rules; empty = legal
   */
  public static List<Violation> check(Schedule schedule, Problem problem) {
    return new Legality(
            schedule, problem.op(), name -> ScheduleGeometry.size(schedule, problem, name))
        .run();
  }

  /**
   * As {@link #check(Schedule, Op)}, for input: an {@link InputException} at the first broken rule.
   */
  public static void require(Schedule schedule, Op op, SourceLocation source) {
    List<Violation> violations = check(schedule, op);
    if (!violations.isEmpty()) {
      throw InputException.at(source, "illegal schedule for " + op.id() + ": " + violations.get(0));
    }
  }

  /**
   * Checks only that the schedule speaks of the operator's tensors and loops, all of them and no
   * others: what {@link ScheduleGeometry} needs. A record measured in spite of a broken format rule
   * passes.
   *
   * @throws InputException at the first broken rule
   */
  public static void requireAxes(Schedule schedule, Op op, SourceLocation source) {
    Legality legality = new Legality(schedule, op, name -> statedSize(schedule, name));
    legality.checkAxes();
    if (!legality.violations.isEmpty()) {
      throw InputException.at(
          source, "no schedule for " + op.id() + ": " + legality.violations.get(0));
    }
  }

  private static long statedSize(Schedule schedule, String name) {
    Optional<AxisSplit> split = schedule.split(Op.logicalAxis(name));
    if (split.isEmpty()) {
      return 0;
    }
    return name.equals(split.get().inner()) ? split.get().innerSize() : split.get().outerSize();
  }

  private List<Violation> run() {
    checkAxes();
    if (!violations.isEmpty()) {
      // The rules below speak of axes that the operator may not have.
      return List.copyOf(violations);
    }
    List<String> loops = ScheduleGeometry.loopOrder(schedule, op);
    for (StorageOrder order : schedule.storageOrders()) {
      List<String> restricted = loops.stream().filter(order.axes()::contains).toList();
      if (!restricted.equals(order.axes())) {
        broken(
            Rule.STORAGE_FOLLOWS_LOOPS,
            order.tensor() + " stored " + order.axes() + ", loops " + loops);
      }
    }
    for (String axis : op.axes()) {
      Optional<AxisSplit> split = schedule.split(axis);
      if (split.isPresent()
          && loops.indexOf(split.get().outer()) > loops.indexOf(split.get().inner())) {
        broken(Rule.OUTER_BEFORE_INNER, axis + " in loops " + loops);
      }
    }
    checkModes();
    checkMarks(loops);
    return List.copyOf(violations);
  }

  private void checkAxes() {
    List<String> tensors = schedule.storageOrders().stream().map(StorageOrder::tensor).toList();
    if (!new HashSet<>(tensors).equals(new HashSet<>(op.sparseTensors()))) {
      broken(Rule.TENSORS, tensors + ", " + op.id() + " has " + op.sparseTensors());
    }
    for (AxisSplit split : schedule.formatSplits()) {
      if (!op.sparseAxes().contains(split.axis())) {
        broken(Rule.SPLIT_KIND, "format split of " + split.axis());
      }
    }
    for (AxisSplit split : schedule.loopSplits()) {
      if (!op.denseAxis().equals(Optional.of(split.axis()))) {
        broken(Rule.SPLIT_KIND, "loop split of " + split.axis());
      }
    }
    Set<String> levels = parts(op.sparseAxes());
    for (StorageOrder order : schedule.storageOrders()) {
      if (!levels.equals(new HashSet<>(order.axes()))) {
        broken(
            Rule.STORAGE_COMPLETE,
            order.tensor() + " stored " + order.axes() + ", levels " + levels);
      }
    }
    Set<String> loops = parts(op.axes());
    if (!schedule.loopOrder().isEmpty() && !loops.equals(new HashSet<>(schedule.loopOrder()))) {
      broken(Rule.LOOPS_COMPLETE, schedule.loopOrder() + ", loops are " + loops);
    }
    marks().stream()
        .filter(axis -> !loops.contains(axis))
        .forEach(axis -> broken(Rule.MARKS_ARE_LOOPS, axis + ", loops are " + loops));
  }

  private Set<String> parts(List<String> axes) {
    Set<String> parts = new LinkedHashSet<>();
    for (String axis : axes) {
      Optional<AxisSplit> split = schedule.split(axis);
      parts.addAll(split.map(s -> List.of(s.outer(), s.inner())).orElse(List.of(axis)));
    }
    return parts;
  }

  private void checkModes() {
    StorageOrder first = schedule.storageOrders().get(0);
    LevelModes firstModes = schedule.levelModes().get(0);
    for (int t = 0; t < schedule.storageOrders().size(); t++) {
      StorageOrder order = schedule.storageOrders().get(t);
      LevelModes modes = schedule.levelModes().get(t);
      checkLevels(order, modes);
      boolean same =
          order.axes().equals(first.axes())
              && order.axes().stream().allMatch(a -> modes.mode(a).equals(firstModes.mode(a)));
      if (!same) {
        broken(Rule.SAME_FORMAT, first.tensor() + " and " + order.tensor());
      }
    }
  }

  private void checkLevels(StorageOrder order, LevelModes modes) {
    Optional<Mode> previous = Optional.empty();
    for (int level = 0; level < order.axes().size(); level++) {
      String axis = order.axes().get(level);
      Mode mode = modes.mode(axis).orElseThrow();
      boolean last = level == order.axes().size() - 1;
      Rule rule = ruleAfter(previous);
      if (!allowed(rule, mode, last) && sizes.applyAsLong(axis) != 1) {
        broken(
            rule,
            order.tensor()
                + " level "
                + level
                + " ("
                + axis
                + ") is "
                + mode.letter()
                + previous.map(p -> " after " + p.letter()).orElse("")
                + (last ? ", last" : ""));
      }
      previous = Optional.of(mode);
    }
  }

  private static Rule ruleAfter(Optional<Mode> previous) {
    if (previous.isEmpty()) {
      return Rule.ROOT_MODE;
    }
    return switch (previous.get()) {
      case DENSE, COMPRESSED -> Rule.MODE_AFTER_FULL;
      case COMPRESSED_NON_UNIQUE, SINGLETON_NON_UNIQUE -> Rule.MODE_AFTER_NON_UNIQUE;
      case SINGLETON -> Rule.MODE_AFTER_SINGLETON;
    };
  }

  private static boolean allowed(Rule rule, Mode mode, boolean last) {
    return switch (mode) {
      case DENSE -> rule == Rule.ROOT_MODE || rule == Rule.MODE_AFTER_FULL;
      case COMPRESSED, COMPRESSED_NON_UNIQUE -> true;
      case SINGLETON -> rule == Rule.MODE_AFTER_NON_UNIQUE && last;
      case SINGLETON_NON_UNIQUE -> rule == Rule.MODE_AFTER_NON_UNIQUE && !last;
    };
  }

  private void checkMarks(List<String> loops) {
    LevelModes modes = schedule.levelModes().get(0);
    schedule
        .parallelAxis()
        .ifPresent(
            axis -> {
              if (op.isReduction(axis)) {
                broken(Rule.PARALLEL_NOT_REDUCTION, axis);
              }
              modes
                  .mode(axis)
                  .filter(mode -> !mode.isParallelizable())
                  .ifPresent(mode -> broken(Rule.PARALLEL_MODE, axis + " is " + mode.letter()));
            });
    schedule
        .vectorizedAxis()
        .ifPresent(
            axis -> {
              if (loops.indexOf(axis) != loops.size() - 1) {
                broken(Rule.VECTORIZED_INNERMOST, axis + " in loops " + loops);
              }
              if (op.isReduction(axis)) {
                broken(Rule.VECTORIZED_NOT_REDUCTION, axis);
              }
              requireDense(Rule.VECTORIZED_DENSE, modes, axis);
            });
    schedule.unrolledAxis().ifPresent(axis -> requireDense(Rule.UNROLLED_DENSE, modes, axis));
    List<String> marks = marks();
    if (new HashSet<>(marks).size() != marks.size()) {
      broken(Rule.MARKS_DISTINCT, marks.toString());
    }
    if (schedule.unrolledAxis().isPresent() != schedule.unrollFactor() > 0) {
      broken(
          Rule.UNROLL_FACTOR,
          schedule.unrollFactor()
              + " with unrolled axis "
              + schedule.unrolledAxis().orElse("None"));
    }
  }

  private List<String> marks() {
    return Stream.of(schedule.parallelAxis(), schedule.vectorizedAxis(), schedule.unrolledAxis())
        .flatMap(Optional::stream)
        .toList();
  }

  private void requireDense(Rule rule, LevelModes modes, String axis) {
    modes
        .mode(axis)
        .filter(mode -> mode != Mode.DENSE)
        .ifPresent(mode -> broken(rule, axis + " is " + mode.letter()));
  }

  private void broken(Rule rule, String values) {
    violations.add(new Violation(rule, values));
  }
}
