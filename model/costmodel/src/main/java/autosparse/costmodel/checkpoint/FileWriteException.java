package autosparse.costmodel.checkpoint;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file could not be written: the disk is full, the folder is gone, the device failed. Whatever
 * was there before is untouched.
 *
 * <p>The message is one line that names the file and what the system reported. It is the machine's
 * failure, not bad input: the command line exits with 1.
 */
public final class FileWriteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FileWriteException(Path file, IOException cause) {
    super("cannot write " + file + ": " + reason(cause), cause);
  }

  /** What the system reported, in words, without the path that the message names already. */
  public static String reason(IOException cause) {
    if (cause instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (cause instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (cause instanceof FileSystemException failure && failure.getReason() != null) {
      return failure.getReason();
    }
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : message.lines().findFirst().orElse("");
  }
}
