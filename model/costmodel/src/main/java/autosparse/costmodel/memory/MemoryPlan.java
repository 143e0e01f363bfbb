package autosparse.costmodel.memory;

import autosparse.engine.memory.MemoryTag;
import java.util.Map;

/**
 * What a step takes when its tower is run by a strategy, known before it runs.
 *
 * @param strategy how the tower is run
 * @param capacityBytes smallest range that the step fits, gaps between blocks included
 * @param peakBytes most bytes live at once, weights and optimiser included
 * @param baseBytes bytes of weights, gradients and optimiser, which are there between steps
 * @param atPeak live bytes by tag at the peak; the values sum to {@code peakBytes}
 * @param relativeTime estimated time of the tower, as a multiple of keeping everything
 */
public record MemoryPlan(
    TowerStrategy strategy,
    long capacityBytes,
    long peakBytes,
    long baseBytes,
    Map<MemoryTag, Long> atPeak,
    double relativeTime) {
  public MemoryPlan {
    atPeak = Map.copyOf(atPeak);
  }
}
