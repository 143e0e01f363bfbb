package autosparse.schedule;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A format and schedule for one operator, as AutoSparse's encoding has it. Immutable; equal if and
 * only if {@link #encode()} prints the same.
 *
 * <p>Lists keep the order in which they were written, which has no effect for the splits and the
 * tensors; {@link #canonical()} is the form to compare by effect.
 *
 * @param formatSplits splits of the sparse axes, in written order
 * @param storageOrders per sparse tensor, the order of its levels
 * @param levelModes per sparse tensor, in the same order, the modes of its levels
 * @param loopSplits splits of the dense axes
 * @param loopOrder loops, outermost first; empty = the storage order, then the dense axes
 * @param parallelAxis the loop run by several threads
 * @param vectorizedAxis the loop vectorised
 * @param unrolledAxis the loop unrolled
 * @param unrollFactor by how much; 0 where no loop is unrolled
 * @param threads number of threads
 * @param chunk iterations that a thread takes at a time (OpenMP dynamic schedule)
 */
public record Schedule(
    List<AxisSplit> formatSplits,
    List<StorageOrder> storageOrders,
    List<LevelModes> levelModes,
    List<AxisSplit> loopSplits,
    List<String> loopOrder,
    Optional<String> parallelAxis,
    Optional<String> vectorizedAxis,
    Optional<String> unrolledAxis,
    int unrollFactor,
    int threads,
    int chunk) {
  /** Bytes of heap of one schedule, without its parts: eight references and three numbers. */
  static final long HOST_BYTES = HeapSize.object(8, 3 * Integer.BYTES);

  /**
   * Throws {@link IllegalArgumentException}, naming the field, if the parts contradict each other
   * (an axis that no other part knows, one named twice, a mode missing). Whether the schedule makes
   * sense for an operator is for {@link Legality} to say.
   */
  public Schedule {
    formatSplits = List.copyOf(formatSplits);
    storageOrders = List.copyOf(storageOrders);
    levelModes = List.copyOf(levelModes);
    loopSplits = List.copyOf(loopSplits);
    loopOrder = List.copyOf(loopOrder);
    ScheduleConsistency.check(
        formatSplits,
        storageOrders,
        levelModes,
        loopSplits,
        loopOrder,
        List.of(
            new ScheduleConsistency.Mark("parallel axis", parallelAxis),
            new ScheduleConsistency.Mark("vectorized axis", vectorizedAxis),
            new ScheduleConsistency.Mark("unrolled axis", unrolledAxis)));
    ScheduleConsistency.checkNumber("unroll factor", unrollFactor, 0);
    ScheduleConsistency.checkNumber("threads", threads, 1);
    ScheduleConsistency.checkNumber("chunk", chunk, 1);
  }

  /**
   * Reads one schedule in AutoSparse's encoding, without a latency.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public static Schedule parse(String line, SourceLocation source) {
    return new ScheduleParser().parse(line, source);
  }

  /**
   * Plain CSR without any transformation: rows dense, columns compressed, loops in storage order.
   *
   * @param threads number of threads
   * @param chunk iterations that a thread takes at a time
   */
  public static Schedule noOp(Op op, int threads, int chunk) {
    List<StorageOrder> orders = new ArrayList<>();
    List<LevelModes> modes = new ArrayList<>();
    for (String tensor : op.sparseTensors()) {
      orders.add(new StorageOrder(tensor, op.sparseAxes()));
      modes.add(
          new LevelModes(
              tensor,
              List.of(
                  new LevelModes.AxisMode(op.rowAxis(), Mode.DENSE),
                  new LevelModes.AxisMode(op.columnAxis(), Mode.COMPRESSED))));
    }
    return new Schedule(
        List.of(),
        orders,
        modes,
        List.of(),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        0,
        threads,
        chunk);
  }

  /** AutoSparse's encoding: what {@link #parse} read, byte for byte. */
  public String encode() {
    StringBuilder out = new StringBuilder(220);
    encodeSplits(out, formatSplits);
    out.append(' ').append(storageOrders.size());
    for (StorageOrder order : storageOrders) {
      out.append(' ').append(order.tensor()).append(' ').append(order.axes().size());
      order.axes().forEach(axis -> out.append(' ').append(axis));
    }
    for (LevelModes tensor : levelModes) {
      out.append(' ').append(tensor.tensor()).append(' ').append(tensor.modes().size());
      for (LevelModes.AxisMode level : tensor.modes()) {
        out.append(' ').append(level.axis()).append(' ').append(level.mode().code());
      }
    }
    out.append(' ');
    encodeSplits(out, loopSplits);
    out.append(' ').append(loopOrder.size());
    loopOrder.forEach(axis -> out.append(' ').append(axis));
    out.append(' ').append(parallelAxis.orElse("None"));
    out.append(' ').append(vectorizedAxis.orElse("None"));
    out.append(' ').append(unrolledAxis.orElse("None"));
    out.append(' ').append(unrollFactor);
    out.append(' ').append(threads).append(' ').append(chunk);
    return out.toString();
  }

  private static void encodeSplits(StringBuilder out, List<AxisSplit> splits) {
    out.append(splits.size());
    for (AxisSplit split : splits) {
      out.append(' ').append(split.axis()).append(" 2 ");
      out.append(split.outer()).append(' ').append(split.outerSize()).append(' ');
      out.append(split.inner()).append(' ').append(split.innerSize());
    }
  }

  /**
   * The form by which schedules are compared: two schedules of one matrix with equal canonical
   * forms run the same code on the same data. Beside {@link #inCanonicalOrder()} it forgets the
   * nominal outer sizes (0 = not stated), which have no effect.
   */
  public Schedule canonical() {
    return inCanonicalOrder().withoutOuterSizes();
  }

  /** The same schedule with the nominal outer sizes not stated. */
  Schedule withoutOuterSizes() {
    return withSplits(
        formatSplits.stream().map(AxisSplit::withoutOuterSize).toList(),
        loopSplits.stream().map(AxisSplit::withoutOuterSize).toList());
  }

  /**
   * The same schedule with all that is written in arbitrary order put in one order: splits and
   * levels' modes by axis (rows first), tensors by name; and with chunk = 1 where no loop is
   * parallel, since the chunk then has no effect. The thread count stays: it describes the machine.
   * The nominal outer sizes stay as stated.
   */
  public Schedule inCanonicalOrder() {
    Comparator<AxisSplit> byAxis = Comparator.comparing(AxisSplit::axis);
    return new Schedule(
        sorted(formatSplits, byAxis),
        sorted(storageOrders, Comparator.comparing(StorageOrder::tensor)),
        sorted(
            levelModes.stream().map(Schedule::inCanonicalOrder).toList(),
            Comparator.comparing(LevelModes::tensor)),
        sorted(loopSplits, byAxis),
        loopOrder,
        parallelAxis,
        vectorizedAxis,
        unrolledAxis,
        unrollFactor,
        threads,
        parallelAxis.isPresent() ? chunk : 1);
  }

  private static LevelModes inCanonicalOrder(LevelModes tensor) {
    List<LevelModes.AxisMode> modes =
        sorted(tensor.modes(), Comparator.comparing(LevelModes.AxisMode::axis));
    return modes.equals(tensor.modes()) ? tensor : new LevelModes(tensor.tensor(), modes);
  }

  /**
   * The list itself where it is sorted already, as most are: parsed schedules share their parts.
   */
  private static <T> List<T> sorted(List<T> list, Comparator<T> order) {
    List<T> sorted = list.stream().sorted(order).toList();
    return sorted.equals(list) ? list : sorted;
  }

  /**
   * The same schedule with the outer sizes that AutoSparse's generator states for a matrix:
   * 2^floor(log2 extent) / inner size, at least 1.
   *
   * @throws IllegalArgumentException if the schedule splits an axis that the operator lacks
   */
  public Schedule withPublishedOuterSizes(Problem problem) {
    return withSplits(
        formatSplits.stream()
            .map(split -> split.withPublishedOuterSize(problem.extent(split.axis())))
            .toList(),
        loopSplits.stream()
            .map(split -> split.withPublishedOuterSize(problem.extent(split.axis())))
            .toList());
  }

  private Schedule withSplits(List<AxisSplit> newFormatSplits, List<AxisSplit> newLoopSplits) {
    return new Schedule(
        newFormatSplits,
        storageOrders,
        levelModes,
        newLoopSplits,
        loopOrder,
        parallelAxis,
        vectorizedAxis,
        unrolledAxis,
        unrollFactor,
        threads,
        chunk);
  }

  /**
   * A 64-bit hash of {@link #canonical()}, the same in every JVM: FNV-1a over its encoding in
   * ASCII, then SplitMix64's finaliser so that all bits depend on all of it.
   */
  public long canonicalHash() {
    long hash = 0xcbf29ce484222325L;
    for (byte b : canonical().encode().getBytes(StandardCharsets.US_ASCII)) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    return Hashing.mix(hash);
  }

  /** {@link #canonicalHash()} as 16 hexadecimal digits. */
  public String canonicalHashHex() {
    return HexFormat.of().toHexDigits(canonicalHash());
  }

  /** The split of a logical axis, wherever it stands; empty where the axis is not split. */
  public Optional<AxisSplit> split(String axis) {
    for (List<AxisSplit> splits : List.of(formatSplits, loopSplits)) {
      for (AxisSplit split : splits) {
        if (split.axis().equals(axis)) {
          return Optional.of(split);
        }
      }
    }
    return Optional.empty();
  }

  /** The storage order of a tensor. */
  public Optional<StorageOrder> storageOrder(String tensor) {
    return storageOrders.stream().filter(order -> order.tensor().equals(tensor)).findFirst();
  }

  /** The modes of a tensor's levels. */
  public Optional<LevelModes> levelModes(String tensor) {
    return levelModes.stream().filter(modes -> modes.tensor().equals(tensor)).findFirst();
  }

  /** {@link #encode()}. */
  @Override
  public String toString() {
    return encode();
  }
}
