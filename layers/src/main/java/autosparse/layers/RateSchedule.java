package autosparse.layers;

import java.util.Locale;

/** Learning rate over a training run, as a factor of the base rate. */
public enum RateSchedule {
  /** The base rate throughout. */
  CONSTANT {
    @Override
    public double factor(double progress) {
      return 1;
    }
  },
  /** Falls linearly to 2 % of the base rate. */
  LINEAR {
    @Override
    public double factor(double progress) {
      return Math.max(0.02, 1 - progress);
    }
  },
  /** Rises over the first 5 %, then falls along a half cosine to 1 % of the base rate. */
  COSINE {
    @Override
    public double factor(double progress) {
      if (progress < WARM_UP) {
        return Math.max(0.01, progress / WARM_UP);
      }
      double t = Math.min(1, (progress - WARM_UP) / (1 - WARM_UP));
      return 0.01 + 0.99 * 0.5 * (1 + StrictMath.cos(Math.PI * t));
    }
  };

  private static final double WARM_UP = 0.05;

  /**
   * The rate at one step over the base rate.
   *
   * @param progress share of the run that is done, in [0, 1]
   */
  public abstract double factor(double progress);

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
