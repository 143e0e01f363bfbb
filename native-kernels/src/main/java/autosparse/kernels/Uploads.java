package autosparse.kernels;

/**
 * A second stream on which copies to the device run beside the kernels of the first.
 *
 * <p>A round of copies starts when everything queued on the first stream before it is done: until
 * then its target may be in use. What is queued on the first stream meanwhile runs beside it, and
 * must not touch the target before {@link #await}.
 */
final class Uploads {
  /** Sections of the ring: a round that is larger makes the host wait for the first stream. */
  static final int SECTIONS = 16;

  private final Driver driver;
  private final Driver.Stream first;
  private final Driver.Stream stream;
  private final Driver.Event queued;
  private final Driver.Event copied;
  private final Staging staging;
  private boolean pending;

  Uploads(CudaContext context, Driver driver, Driver.Stream first) {
    this.driver = driver;
    this.first = first;
    this.stream = driver.createStream();
    this.queued = driver.createEvent();
    this.copied = driver.createEvent();
    this.staging = new Staging(context, driver, stream, SECTIONS);
  }

  Driver.Stream stream() {
    return stream;
  }

  Staging staging() {
    return staging;
  }

  /** Starts a round, which {@link #end} ends; of several starts before that the last one counts. */
  void begin() {
    driver.record(queued, first);
    driver.await(queued, stream);
  }

  /** Ends a round. */
  void end() {
    driver.record(copied, stream);
    pending = true;
  }

  /** Has the first stream wait for the rounds so far. */
  void await() {
    if (pending) {
      driver.await(copied, first);
      pending = false;
    }
  }

  void close() {
    driver.synchronize(stream);
    staging.close();
    driver.destroy(queued);
    driver.destroy(copied);
    driver.destroy(stream);
  }
}
