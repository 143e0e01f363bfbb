package autosparse.kernels;

/** A moment in a device's stream. */
public final class StreamMark implements AutoCloseable {
  private final CudaContext context;
  private final Driver.Event event;

  StreamMark(CudaContext context, Driver.Event event) {
    this.context = context;
    this.event = event;
  }

  /** Waits for both moments; milliseconds from this one to the later one, on the device's clock. */
  public double millisecondsTo(StreamMark later) {
    return context.ask(
        "timing",
        () -> {
          context.driver().synchronize(later.event);
          return (double) context.driver().elapsed(event, later.event);
        });
  }

  @Override
  public void close() {
    context.run("giving back an event", () -> context.driver().destroy(event));
  }
}
