package autosparse.kernels;

/**
 * A second stream on which copies to the device run beside the kernels of the first; made with its
 * ring when it is first used.
 *
 * <p>A round of copies starts when everything queued on the first stream before {@link #begin} is
 * done: until then its target may be in use. What is queued on the first stream meanwhile runs
 * beside it, and must not touch the target before {@link #await}.
 */
final class Uploads {
  /** Sections of the ring: a round that is larger makes the host wait for the first stream. */
  static final int SECTIONS = 16;

  /**
   * What the copies need.
   *
   * @param queued on the first stream, by what a round waits for
   * @param copied on the second, when a round is done
   */
  private record Lane(
      Driver.Stream stream, Driver.Event queued, Driver.Event copied, Staging staging) {}

  private final CudaContext context;
  private final Driver driver;
  private final Driver.Stream first;
  private Lane lane;
  private boolean begun;
  private boolean filling;
  private boolean pending;

  Uploads(CudaContext context, Driver driver, Driver.Stream first) {
    this.context = context;
    this.driver = driver;
    this.first = first;
  }

  private Lane open() {
    Driver.Stream stream = driver.createStream();
    return new Lane(
        stream,
        driver.createEvent(),
        driver.createEvent(),
        new Staging(context, driver, stream, SECTIONS));
  }

  /** Whether a round is being filled: copies now go through {@link #staging}. */
  boolean isFilling() {
    return filling;
  }

  Driver.Stream stream() {
    return lane.stream;
  }

  Staging staging() {
    return lane.staging;
  }

  /**
   * Begins a round, which {@link #fill} fills; of several begun before that the last one counts.
   */
  void begin() {
    if (filling) {
      throw new IllegalStateException("an upload inside an upload");
    }
    if (lane == null) {
      lane = context.ask("preparing uploads", this::open);
    }
    context.run(
        "starting an upload",
        () -> {
          driver.record(lane.queued, first);
          driver.await(lane.queued, lane.stream);
        });
    begun = true;
  }

  /** Runs what queues the round's copies. */
  void fill(Runnable copies) {
    if (filling || !begun) {
      throw new IllegalStateException("an upload that was not begun, or is being filled");
    }
    begun = false;
    filling = true;
    try {
      copies.run();
    } finally {
      filling = false;
      context.run("ending an upload", () -> driver.record(lane.copied, lane.stream));
      pending = true;
    }
  }

  /** Has the first stream wait for the rounds so far. */
  void await() {
    if (pending) {
      context.run("awaiting uploads", () -> driver.await(lane.copied, first));
      pending = false;
    }
  }

  void close() {
    if (lane != null) {
      driver.synchronize(lane.stream);
      lane.staging.close();
      driver.destroy(lane.queued);
      driver.destroy(lane.copied);
      driver.destroy(lane.stream);
    }
  }
}
