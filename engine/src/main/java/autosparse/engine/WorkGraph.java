package autosparse.engine;

/**
 * A piece of work that is run again and again on the same tensors.
 *
 * <p>A GPU runs it as it stands the first time, captures what it queues the second time, and from
 * then on queues that as one, which costs a small part of as many launches. So the piece
 *
 * <ul>
 *   <li>does the same operators on the same tensors, with the same numbers, each time;
 *   <li>reads and writes tensors made outside of it for what goes in and comes out: copy into them
 *       before, out of them after;
 *   <li>frees every tensor that it makes;
 *   <li>copies nothing between host and device, and waits for nothing (refused when captured).
 * </ul>
 *
 * <p>Its results are those of the piece itself, bit for bit. The memory of its own tensors stays
 * taken while the graph is open; the graphs of a device share it.
 */
public interface WorkGraph extends AutoCloseable {
  /** Queues the work. */
  void run();

  @Override
  void close();
}
