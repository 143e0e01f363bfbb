package autosparse.costmodel.memory;

import autosparse.costmodel.memory.ChainProgramme.Layer;
import autosparse.costmodel.memory.ChainProgramme.Solution;
import autosparse.costmodel.memory.TowerStrategy.Checkpoints;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.DType;
import autosparse.engine.PlanningDevice;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.sparse.RowSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Finds the fastest way to run one step within a number of bytes. Ways are put in the order of
 * their estimated time and run on a planning device, which says exactly what each takes; the first
 * that fits is taken.
 */
public final class StrategySearch {
  /** Passes over a layer in a training step: forward, gradient by input, gradient by weights. */
  private static final double TRAINING_PASSES = 3;

  /** Strips compute forward once more, for the averages. */
  private static final double STRIP_PASSES = 4;

  /**
   * The programme's bytes are those of the tower's tensors alone, a lower bound within this share.
   */
  private static final double PROGRAMME_SLACK = 0.9;

  private record Candidate(TowerStrategy strategy, double relativeTime, long leastBytes) {}

  private final PlanningDevice device;
  private final SparseTower tower;
  private final List<? extends RowSource> patterns;
  private final boolean training;
  private final long behindBytes;
  private final Consumer<TowerStrategy> step;
  private final long baseBytes;
  private final Map<TowerStrategy, MemoryPlan> plans = new HashMap<>();
  private List<Candidate> candidates;
  private boolean withCheckpoints;

  /**
   * @param device what the step runs on
   * @param tower of the planned model
   * @param patterns of the step's matrices
   * @param training whether the step has a backward pass
   * @param behindBytes what the rest of the step takes at its peak
   * @param step runs the whole step on the planning device and leaves nothing behind
   */
  public StrategySearch(
      PlanningDevice device,
      SparseTower tower,
      List<? extends RowSource> patterns,
      boolean training,
      long behindBytes,
      Consumer<TowerStrategy> step) {
    this.device = device;
    this.tower = tower;
    this.patterns = List.copyOf(patterns);
    this.training = training;
    this.behindBytes = behindBytes;
    this.step = step;
    this.baseBytes = device.allocator().liveBytes();
  }

  /** What the rest of the step takes at its peak. */
  public long behindBytes() {
    return behindBytes;
  }

  /** Every allocation of the step by one strategy, in order. */
  public List<MemoryLedger.Event> events(TowerStrategy strategy) {
    device.ledger().restart();
    device.ledger().setRecording(true);
    step.accept(strategy);
    device.ledger().setRecording(false);
    return device.ledger().events();
  }

  /** What the step takes by one strategy, to the byte. */
  public MemoryPlan plan(TowerStrategy strategy) {
    return plan(strategy, relativeTime(strategy));
  }

  private double relativeTime(TowerStrategy strategy) {
    if (strategy instanceof TowerStrategy.KeepAll) {
      return 1;
    }
    if (strategy instanceof Strips strips) {
      return stripTime(Strip.of(patterns, tower, strips.sites()));
    }
    return candidates().stream()
        .filter(candidate -> candidate.strategy().equals(strategy))
        .mapToDouble(Candidate::relativeTime)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(strategy + " is not of this search"));
  }

  private MemoryPlan plan(TowerStrategy strategy, double relativeTime) {
    return plans.computeIfAbsent(
        strategy,
        s -> {
          device.allocator().resetPeak();
          device.ledger().restart();
          step.accept(s);
          if (device.allocator().liveBytes() != baseBytes) {
            throw new IllegalStateException(
                "a planned step left "
                    + (device.allocator().liveBytes() - baseBytes)
                    + " bytes behind: "
                    + device.root().dump());
          }
          return new MemoryPlan(
              s,
              device.allocator().peakExtent(),
              device.allocator().peakBytes(),
              baseBytes,
              device.ledger().atPeak(),
              relativeTime);
        });
  }

  /** The fastest way that fits a range of so many bytes. */
  public Optional<MemoryPlan> fastest(long capacity) {
    if (leastBytes(sites(), training) <= capacity) {
      MemoryPlan keepAll = plan(TowerStrategy.KEEP_ALL);
      if (keepAll.capacityBytes() <= capacity) {
        return Optional.of(keepAll);
      }
    }
    for (Candidate candidate : candidates(capacity)) {
      if (candidate.leastBytes() <= capacity) {
        MemoryPlan plan = plan(candidate.strategy(), candidate.relativeTime());
        if (plan.capacityBytes() <= capacity) {
          return Optional.of(plan);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The fastest way of one kind that fits a range of so many bytes; where none does, the smallest
   * of its kind.
   *
   * @return empty where there is no way of that kind
   */
  public Optional<MemoryPlan> ofKind(Class<? extends TowerStrategy> kind, long capacity) {
    Optional<MemoryPlan> smallest = Optional.empty();
    for (Candidate candidate : candidates()) {
      if (kind.isInstance(candidate.strategy())) {
        MemoryPlan plan = plan(candidate.strategy(), candidate.relativeTime());
        if (plan.capacityBytes() <= capacity) {
          return Optional.of(plan);
        }
        smallest =
            smallest
                .filter(least -> least.capacityBytes() <= plan.capacityBytes())
                .or(() -> Optional.of(plan));
      }
    }
    return smallest;
  }

  /** The way that takes the fewest bytes. */
  public MemoryPlan smallest() {
    // Strips first: what they take says whether it is worth counting the whole at once.
    Optional<MemoryPlan> strips =
        candidates(0).stream()
            .filter(candidate -> candidate.strategy() instanceof Strips)
            .min(Comparator.comparingLong(c -> ((Strips) c.strategy()).sites()))
            .map(candidate -> plan(candidate.strategy(), candidate.relativeTime()));
    MemoryPlan least = strips.orElse(null);
    if (least == null || leastBytes(sites(), training) <= least.capacityBytes()) {
      least = smaller(least, plan(TowerStrategy.KEEP_ALL));
    }
    Optional<Candidate> checkpoints =
        candidates(least.capacityBytes()).stream()
            .filter(candidate -> candidate.strategy() instanceof Checkpoints)
            .min(Comparator.comparingLong(Candidate::leastBytes));
    if (checkpoints.isPresent()) {
      Candidate candidate = checkpoints.get();
      least = smaller(least, plan(candidate.strategy(), candidate.relativeTime()));
    }
    return least;
  }

  private static MemoryPlan smaller(MemoryPlan one, MemoryPlan other) {
    return one != null && one.capacityBytes() <= other.capacityBytes() ? one : other;
  }

  /** Every way but keeping everything, the fastest first. */
  private List<Candidate> candidates() {
    return candidates(Long.MAX_VALUE);
  }

  /**
   * As {@link #candidates()}; checkpoints are left out where no way to place them fits, so that a
   * matrix that is far too large to be had at once is never counted at once.
   */
  private List<Candidate> candidates(long capacity) {
    boolean whole = leastBytes(sites(), false) <= capacity;
    if (candidates == null || (whole && training && !withCheckpoints)) {
      List<Candidate> all = new ArrayList<>();
      if (training && whole) {
        all.addAll(checkpoints());
        withCheckpoints = true;
      }
      all.addAll(strips());
      all.sort(
          Comparator.comparingDouble(Candidate::relativeTime)
              .thenComparing(Comparator.comparingLong(Candidate::leastBytes).reversed()));
      candidates = all;
    }
    return candidates;
  }

  private long sites() {
    return patterns.stream().mapToLong(RowSource::sites).sum();
  }

  /**
   * A lower bound of what a step takes that has so many sites in the tower at once.
   *
   * @param kept whether all layers' outputs stay, or the first layer's alone is sure to be there
   */
  private long leastBytes(long sites, boolean kept) {
    long channels = 0;
    for (int layer = 0; layer < tower.size() && tower.outputLevel(layer) == 0; layer++) {
      channels += layer == 0 || kept ? tower.channels(layer) : 0;
    }
    long site = channels * device.activation().bytes() + DType.I32.bytes();
    return baseBytes + sites * site;
  }

  private List<Candidate> checkpoints() {
    List<Layer> layers = TowerCost.of(device, tower, patterns);
    double once = layers.stream().mapToDouble(Layer::forwardSeconds).sum();
    List<Candidate> result = new ArrayList<>();
    for (Solution solution : ChainProgramme.solve(layers, behindBytes)) {
      if (solution.parts().stream().allMatch(ChainPart::isKept)) {
        continue;
      }
      double time = once == 0 ? 1 : 1 + solution.recomputeSeconds() / (TRAINING_PASSES * once);
      long least = baseBytes + (long) (PROGRAMME_SLACK * solution.bytes());
      result.add(new Candidate(new Checkpoints(solution.parts()), time, least));
    }
    return result;
  }

  private List<Candidate> strips() {
    List<Candidate> result = new ArrayList<>();
    long before = Long.MAX_VALUE;
    for (long most = Strip.size(patterns); most >= 1; most /= 2) {
      List<Strip> strips = Strip.of(patterns, tower, most);
      long largest = strips.stream().mapToLong(Strip::size).max().orElse(0);
      if (largest == before) {
        break; // the fewest rows that can be owned
      }
      before = largest;
      long sites = strips.stream().mapToLong(Strip::sites).max().orElse(0);
      long least = leastBytes(sites, training);
      result.add(new Candidate(new Strips(most), stripTime(strips), least));
    }
    return result;
  }

  private double stripTime(List<Strip> strips) {
    double held = strips.stream().mapToDouble(Strip::sites).sum();
    double all = sites();
    double passes = training ? STRIP_PASSES / TRAINING_PASSES : 1;
    return all == 0 ? passes : passes * held / all;
  }
}
