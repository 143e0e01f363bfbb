package autosparse.trainer.run;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar that redraws itself in place. */
final class BarProgress implements Progress {
  private static final int UPDATE_MILLIS = 250;
  private static final String CLEAR_LINE = "\r\u001b[2K";

  private final PrintStream out;
  private final ProgressBar bar;

  BarProgress(PrintStream out, String task, long done, long total) {
    this.out = out;
    bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(total > 0 ? total : -1)
            .startsFrom(done, Duration.ZERO)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .setConsumer(new ConsoleProgressBarConsumer(out))
            .build();
  }

  @Override
  public void update(long done, String note) {
    bar.stepTo(done);
    bar.setExtraMessage(note);
  }

  @Override
  public void message(String line) {
    out.print(CLEAR_LINE + line + System.lineSeparator());
    bar.refresh();
  }

  @Override
  public void close() {
    bar.close();
  }
}
