package autosparse.trainer.run;

/** A program that the test of {@link Interrupts} starts and sends signals to. */
public final class InterruptedJob {
  private InterruptedJob() {}

  /**
   * Runs until it is interrupted.
   *
   * @param args {@code polite} to end when asked, {@code busy} never to, {@code done} at once,
   *     {@code failing} to fail when asked
   */
  public static void main(String[] args) {
    Interrupts interrupts = new Interrupts(System.err);
    interrupts.arm();
    System.out.println("ready");
    boolean ends = !args[0].equals("busy");
    while (!args[0].equals("done") && !(ends && interrupts.requested())) {
      Thread.onSpinWait();
    }
    System.out.println("saved");
    int code =
        switch (args[0]) {
          case "done" -> 0;
          case "failing" -> 1;
          default -> Interrupts.EXIT_CODE;
        };
    interrupts.finish(code);
    System.exit(code);
  }
}
