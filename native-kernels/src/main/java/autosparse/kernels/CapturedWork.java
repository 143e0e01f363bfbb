package autosparse.kernels;

/**
 * Launches that were captured once and are queued as one: less than a microsecond each instead of
 * several. They run with the arguments and addresses that they were captured with.
 */
public final class CapturedWork implements AutoCloseable {
  private final CudaContext context;
  private final String name;
  private final Driver.Graph graph;
  private boolean closed;

  CapturedWork(CudaContext context, String name, Driver.Graph graph) {
    this.context = context;
    this.name = name;
    this.graph = graph;
  }

  /** Queues the work behind what is queued. */
  public void launch() {
    if (closed) {
      throw new IllegalStateException("captured " + name + " is closed");
    }
    context.launch(name, graph);
  }

  /** Waits for the queued work and gives the graph back. */
  @Override
  public void close() {
    if (!closed) {
      context.run(
          "giving back captured " + name,
          () -> {
            context.driver().synchronize(context.stream());
            context.driver().destroy(graph);
          });
      closed = true;
    }
  }
}
