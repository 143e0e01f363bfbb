package autosparse.schedule;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Which schedules of a data set are for training and which for validation. The same data and seed
 * give the same split in every JVM, whatever the order of lines and files.
 *
 * @param kind how it was made
 * @param parts one per task, in the data set's order
 * @param heldOut base matrices kept for validation, sorted; empty unless {@link Kind#BASE}
 */
public record Split(Kind kind, List<Part> parts, List<String> heldOut) {
  /** Share of each task's schedules that {@link #random(Dataset, long)} holds out. */
  public static final double DEFAULT_FRACTION = 0.2;

  /** Share of the base matrices that {@link #chooseHeldOut} picks. */
  private static final double DEFAULT_BASE_FRACTION = 0.3;

  /** The ways to split. */
  public enum Kind {
    /**
     * Within each task. Leaks: the model has seen every validation matrix, and resized siblings.
     */
    RANDOM,
    /** By base matrix: the model has seen nothing like a validation matrix. */
    BASE,
    /** Everything is for validation: the model was trained elsewhere. */
    NONE;

    /** Lower-case name, as on the command line. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The kind of a lower-case name.
     *
     * @throws InputException if there is none of that name
     */
    public static Kind parse(String id) {
      for (Kind kind : values()) {
        if (kind.id().equals(id)) {
          return kind;
        }
      }
      throw new InputException(
          "split " + InputException.quote(id) + ", expected random, base or none");
    }
  }

  /**
   * One task's share.
   *
   * @param task the task
   * @param train indexes of its schedules to train on, ascending
   * @param validation the others, ascending
   */
  public record Part(Task task, List<Integer> train, List<Integer> validation) {
    /** Throws {@link IllegalArgumentException} unless each schedule is in one of the two. */
    public Part {
      train = List.copyOf(train);
      validation = List.copyOf(validation);
      if (train.size() + validation.size() != task.size()) {
        throw new IllegalArgumentException(
            task + " split in " + train.size() + " and " + validation.size());
      }
    }
  }

  /** Copies the lists. */
  public Split {
    parts = List.copyOf(parts);
    heldOut = List.copyOf(heldOut);
  }

  /** {@link #random(Dataset, long, double)} with {@link #DEFAULT_FRACTION}. */
  public static Split random(Dataset data, long seed) {
    return random(data, seed, DEFAULT_FRACTION);
  }

  /**
   * Holds out a fraction of each task's schedules: those whose canonical hash, mixed with the seed
   * and the task's name, is smallest. So other tasks or more lines do not reshuffle a task.
   *
   * @param fraction share held out, 0 to 1, rounded to whole schedules; at least one schedule where
   *     a task has two or more, and never all
   */
  public static Split random(Dataset data, long seed, double fraction) {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new InputException("held-out fraction " + fraction + ", expected 0 to 1");
    }
    List<Part> parts = new ArrayList<>();
    for (Task task : data.tasks()) {
      long taskSeed = Hashing.of(seed, task.id());
      long[] keys =
          task.schedules().stream()
              .mapToLong(schedule -> Hashing.mix(taskSeed ^ schedule.canonicalHash()))
              .toArray();
      int size = task.size();
      int held = 0;
      if (fraction > 0 && size > 1) {
        held = (int) Math.max(1, Math.min(size - 1L, Math.round(size * fraction)));
      }
      List<Integer> order =
          IntStream.range(0, size)
              .boxed()
              .sorted(Comparator.comparingLong((Integer index) -> keys[index]))
              .toList();
      parts.add(
          new Part(
              task,
              order.subList(held, size).stream().sorted().toList(),
              order.subList(0, held).stream().sorted().toList()));
    }
    return new Split(Kind.RANDOM, parts, List.of());
  }

  /**
   * Holds out every task on some base matrices.
   *
   * @param heldOut base names, e.g. {@code mhd4800a nemspmm1}
   * @throws InputException if a name is no base matrix of the data, or none would be left to train
   *     on
   */
  public static Split base(Dataset data, Collection<String> heldOut) {
    List<String> bases = data.baseNames();
    Set<String> held = new TreeSet<>(heldOut);
    for (String name : held) {
      if (!bases.contains(name)) {
        throw new InputException(
            "held-out matrix "
                + InputException.quote(name)
                + ", expected base names of the data: "
                + String.join(", ", bases));
      }
    }
    if (held.isEmpty() || held.size() == bases.size()) {
      throw new InputException(
          held.size()
              + " of "
              + bases.size()
              + " base matrices held out, expected some but not all");
    }
    List<Part> parts = new ArrayList<>();
    for (Task task : data.tasks()) {
      List<Integer> all = IntStream.range(0, task.size()).boxed().toList();
      boolean validation = held.contains(task.baseName());
      parts.add(new Part(task, validation ? List.of() : all, validation ? all : List.of()));
    }
    return new Split(Kind.BASE, parts, List.copyOf(held));
  }

  /** Trains on nothing and holds out everything: to judge a model that was trained elsewhere. */
  public static Split none(Dataset data) {
    List<Part> parts =
        data.tasks().stream()
            .map(
                task -> new Part(task, List.of(), IntStream.range(0, task.size()).boxed().toList()))
            .toList();
    return new Split(Kind.NONE, parts, List.of());
  }

  /**
   * Base matrices to hold out when the user names none: max(1, round(0.3 n)) of them, never all.
   *
   * @throws InputException if the data has fewer than two base matrices
   */
  public static List<String> chooseHeldOut(Dataset data, long seed) {
    List<String> bases = data.baseNames();
    if (bases.size() < 2) {
      throw new InputException(
          "split base needs two or more base matrices, the data has only "
              + String.join(", ", bases));
    }
    int held = (int) Math.max(1, Math.round(bases.size() * DEFAULT_BASE_FRACTION));
    return bases.stream()
        .sorted(Comparator.comparingLong((String base) -> Hashing.of(seed, base)))
        .limit(held)
        .sorted()
        .toList();
  }

  /** Number of schedules to train on. */
  public long trainSize() {
    return parts.stream().mapToLong(part -> part.train().size()).sum();
  }

  /** Number of schedules held out. */
  public long validationSize() {
    return parts.stream().mapToLong(part -> part.validation().size()).sum();
  }
}
