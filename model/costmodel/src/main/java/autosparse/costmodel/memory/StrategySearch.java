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
 * that fits is taken. Of strips, which take fewer bytes the more they are, that is the fewest.
 */
public final class StrategySearch {
  /**
   * Passes over a layer in a training step: forward, gradient by input, gradient by weights. Strips
   * compute forward once more, for the averages.
   */
  private static final double TRAINING_PASSES = 3;

  /** How much larger strips are in the forward pass, the first that fits. */
  private static final double[] WIDER_FORWARD = {2, 1.75, 1.5, 1.25};

  /**
   * The programme's bytes are those of the tower's tensors alone, a lower bound within this share.
   */
  private static final double PROGRAMME_SLACK = 0.9;

  /**
   * Each strip of a pass costs as if it held so many sites more: the pass is some 110 to 160
   * launches, however few its sites are. Fitted to an H200 (training step, 128 channels, bf16, a
   * band of 10,000,000 sites, 57 ms at once) when it was 150 to 220: 65, 63, 66 and 121 ms were
   * measured in 2, 3, 8 and 40 strips, 78, 78, 84 and 121 ms are estimated so. Rows of strips are
   * read while others are at work, those of the whole are not, which the few strips owe their times
   * to.
   */
  private static final long SITES_PER_STRIP = 160_000;

  /** Up to so many strips are made equal; of more, a last one that is small costs next to none. */
  private static final int BALANCED = 64;

  /** From one number of equal strips to the next: each up to 32, then a sixteenth more. */
  private static final int FINENESS = 16;

  /** From one size to the next of more strips than can be made equal. */
  private static final double SMALLER = Math.pow(0.5, 1.0 / 4);

  /** Sizes of still more strips are halved: it takes long to count them all. */
  private static final int MANY = 4096;

  /**
   * A way that may be taken.
   *
   * @param relativeTime as a plan's
   * @param sites most in the tower at once
   * @param leastBytes a lower bound of what it takes
   */
  private record Candidate(
      TowerStrategy strategy, double relativeTime, long sites, long leastBytes) {}

  private final PlanningDevice device;
  private final SparseTower tower;
  private final List<? extends RowSource> patterns;
  private final boolean training;
  private final long behindBytes;
  private final Consumer<TowerStrategy> step;
  private final long baseBytes;
  private final Map<TowerStrategy, MemoryPlan> plans = new HashMap<>();
  private List<Candidate> candidates;
  private List<Candidate> strips;
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
      List<Strip> backward = Strip.of(patterns, tower, strips.sites());
      return strips.forwardSites() == strips.sites()
          ? stripTime(backward, backward)
          : stripTime(Strip.of(patterns, tower, strips.forwardSites()), backward);
    }
    return candidates().stream()
        .filter(candidate -> candidate.strategy().equals(strategy))
        .mapToDouble(Candidate::relativeTime)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(strategy + " is not of this search"));
  }

  private MemoryPlan plan(Candidate candidate) {
    return plan(candidate.strategy(), candidate.relativeTime());
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
        Optional<MemoryPlan> plan =
            candidate.strategy() instanceof Strips
                ? fewestStrips(capacity)
                    .filter(p -> p.strategy().equals(candidate.strategy()))
                    .map(p -> widerForward(p, capacity))
                : Optional.of(plan(candidate)).filter(p -> p.capacityBytes() <= capacity);
        if (plan.isPresent()) {
          return plan;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The fewest strips that fit. Bytes rise nearly in proportion to a strip's sites, so each plan
   * tells how large strips can be, and few are made.
   */
  private Optional<MemoryPlan> fewestStrips(long capacity) {
    List<Candidate> all = strips();
    int tooLarge = -1;
    while (tooLarge + 1 < all.size() && all.get(tooLarge + 1).leastBytes() > capacity) {
      tooLarge++;
    }
    int fitting = all.size();
    Optional<MemoryPlan> fewest = Optional.empty();
    int next = tooLarge + 1;
    // Doubled while nothing fits: what does not shrink with the strips misleads the guess.
    int step = 1;
    while (fitting - tooLarge > 1) {
      MemoryPlan plan = plan(all.get(next));
      double share =
          (double) (capacity - baseBytes) / Math.max(1, plan.capacityBytes() - baseBytes);
      double sites = share * all.get(next).sites();
      if (plan.capacityBytes() <= capacity) {
        fitting = next;
        fewest = Optional.of(plan);
      } else {
        tooLarge = next;
      }
      next = tooLarge + (fewest.isPresent() ? 1 : step);
      step *= 2;
      while (next < fitting - 1 && all.get(next).sites() > sites) {
        next++;
      }
      next = Math.min(next, fitting - 1);
    }
    return fewest;
  }

  /**
   * A plan of strips with larger ones in the forward pass, if a range of so many bytes has room.
   */
  private MemoryPlan widerForward(MemoryPlan plan, long capacity) {
    long sites = ((Strips) plan.strategy()).sites();
    if (training && sites < Strip.size(patterns)) {
      for (double wider : WIDER_FORWARD) {
        MemoryPlan wide = plan(new Strips(sites, (long) (wider * sites)));
        if (wide.capacityBytes() <= capacity) {
          return wide;
        }
      }
    }
    return plan;
  }

  /** The fewest strips that fit, as large in the forward pass as fits too. */
  private Optional<MemoryPlan> fastestStrips(long capacity) {
    return fewestStrips(capacity).map(plan -> widerForward(plan, capacity));
  }

  /**
   * The fastest way of one kind that fits a range of so many bytes; where none does, the fastest of
   * the smallest of its kind.
   *
   * @return empty where there is no way of that kind
   */
  public Optional<MemoryPlan> ofKind(Class<? extends TowerStrategy> kind, long capacity) {
    if (kind == Strips.class) {
      return fastestStrips(capacity)
          .or(
              () ->
                  smallestStrips()
                      .map(least -> fastestStrips(least.capacityBytes()).orElse(least)));
    }
    Optional<MemoryPlan> smallest = Optional.empty();
    for (Candidate candidate : candidates()) {
      if (kind.isInstance(candidate.strategy())) {
        MemoryPlan plan = plan(candidate);
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

  private Optional<MemoryPlan> smallestStrips() {
    List<Candidate> all = strips();
    return all.isEmpty() ? Optional.empty() : Optional.of(plan(all.get(all.size() - 1)));
  }

  /** The way that takes the fewest bytes, the fastest of those that take as many. */
  public MemoryPlan smallest() {
    // Strips first: what they take says whether it is worth counting the whole at once.
    MemoryPlan least = smallestStrips().orElse(null);
    if (least == null || leastBytes(sites(), training) <= least.capacityBytes()) {
      least = smaller(least, plan(TowerStrategy.KEEP_ALL));
    }
    Optional<Candidate> checkpoints =
        candidates(least.capacityBytes()).stream()
            .filter(candidate -> candidate.strategy() instanceof Checkpoints)
            .min(Comparator.comparingLong(Candidate::leastBytes));
    if (checkpoints.isPresent()) {
      least = smaller(least, plan(checkpoints.get()));
    }
    // Below the rest of the step's peak smaller strips save nothing.
    return fastest(least.capacityBytes()).orElse(least);
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
      result.add(new Candidate(new Checkpoints(solution.parts()), time, sites(), least));
    }
    return result;
  }

  /** Strips of every number that is tried, the fewest first. */
  private List<Candidate> strips() {
    if (strips == null) {
      strips = new ArrayList<>();
      int count = 1;
      long most = Strip.size(patterns);
      List<Strip> last = List.of();
      while (most >= 1) {
        List<Strip> of = Strip.of(patterns, tower, most);
        if (!of.equals(last)) {
          strips.add(candidate(most, of)); // a matrix of few rows cannot be divided any further
          last = of;
        }
        long largest = of.stream().mapToLong(Strip::size).max().orElse(0);
        if (largest == 0 || largest > most) {
          break; // nothing to be had at once, or the fewest rows that can be owned
        }
        long before = most;
        count = Math.max(count, of.size());
        while (count < BALANCED && most == before) {
          count = Math.max(count + 1, count + count / FINENESS);
          most = Strip.sizeFor(patterns, tower, count, before);
        }
        if (most == before) {
          most = (long) (before * (of.size() < MANY ? SMALLER : 0.5));
        }
      }
    }
    return strips;
  }

  private Candidate candidate(long most, List<Strip> of) {
    long sites = of.stream().mapToLong(Strip::sites).max().orElse(0);
    long rest = baseBytes + (long) (PROGRAMME_SLACK * behindBytes);
    long first = (long) tower.channels(0) * device.activation().bytes();
    // A strip's backward pass has the first layer's output and its gradient at once.
    long features = sites * (training ? first : 0) + leastBytes(sites, false);
    long least = Math.max(rest, features);
    return new Candidate(new Strips(most), stripTime(of, of), sites, least);
  }

  private double stripTime(List<Strip> forward, List<Strip> backward) {
    double once = passTime(forward);
    return training ? (once + TRAINING_PASSES * passTime(backward)) / TRAINING_PASSES : once;
  }

  private double passTime(List<Strip> strips) {
    double held = strips.stream().mapToDouble(Strip::sites).sum();
    double fixed = (double) SITES_PER_STRIP * Math.max(1, strips.size());
    return (held + fixed) / (sites() + SITES_PER_STRIP);
  }
}
