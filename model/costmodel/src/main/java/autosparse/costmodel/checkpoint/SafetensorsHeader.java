package autosparse.costmodel.checkpoint;

import autosparse.engine.DType;
import autosparse.engine.Shape;
import autosparse.schedule.InputException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The JSON header of a safetensors file: {@code {"__metadata__": {…}, "name": {"dtype": "F32",
 * "shape": […], "data_offsets": [begin, end]}, …}}.
 *
 * <p>Reading holds the file to every rule of the published format: no name twice, each range as
 * long as its shape and type say, ranges that follow one another from byte 0 without hole or
 * overlap to the end of the file.
 *
 * @param metadata the {@code __metadata__} map
 * @param tensors in the order of their bytes
 */
record SafetensorsHeader(Map<String, String> metadata, List<TensorInfo> tensors) {
  private static final String METADATA = "__metadata__";
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  SafetensorsHeader {
    metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
    tensors = List.copyOf(tensors);
  }

  /** Bytes that the tensors take, without the header. */
  long dataBytes() {
    return tensors.isEmpty() ? 0 : tensors.get(tensors.size() - 1).end();
  }

  /**
   * Lays tensors out one after another: wide types first, so that every tensor is aligned to its
   * type, then by name.
   */
  static SafetensorsHeader layOut(Map<String, String> metadata, List<StoredTensor> tensors) {
    List<TensorInfo> placed = new ArrayList<>();
    long at = 0;
    for (StoredTensor tensor : inFileOrder(tensors)) {
      if (tensor.name().equals(METADATA)) {
        throw new IllegalArgumentException("tensor named " + METADATA);
      }
      long end = Math.addExact(at, tensor.bytes());
      placed.add(new TensorInfo(tensor.name(), tensor.dtype(), tensor.shape(), at, end));
      at = end;
    }
    return new SafetensorsHeader(metadata, placed);
  }

  static List<StoredTensor> inFileOrder(List<StoredTensor> tensors) {
    return tensors.stream()
        .sorted(
            Comparator.comparingInt((StoredTensor tensor) -> -tensor.dtype().bytes())
                .thenComparing(StoredTensor::name))
        .toList();
  }

  /** The JSON text, padded with spaces so that the data that follow are aligned to 8 bytes. */
  byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (TensorInfo tensor : tensors) {
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeFieldName("shape");
        long[] sizes = tensor.shape().toArray();
        json.writeArray(sizes, 0, sizes.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (out.size() % Long.BYTES != 0) {
      out.write(' ');
    }
    return out.toByteArray();
  }

  /**
   * Reads a header.
   *
   * @param file for the messages
   * @param bytes the header's bytes
   * @param dataBytes bytes that follow the header in the file
   * @throws InputException if a rule of the format is broken
   */
  static SafetensorsHeader parse(Path file, byte[] bytes, long dataBytes) {
    if (bytes.length == 0 || bytes[0] != '{') {
      throw new InputException(file + ": header does not begin with '{': not a safetensors file");
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new InputException(file + ": header is not UTF-8", e);
    }
    SafetensorsHeader header;
    try (JsonParser json = JSON.createParser(text)) {
      header = new Reader(file, json).read();
    } catch (IOException e) {
      String problem = e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
      throw new InputException(file + ": header is not valid JSON: " + printable(problem), e);
    }
    header.requireContiguous(file, dataBytes);
    return header;
  }

  private void requireContiguous(Path file, long dataBytes) {
    long at = 0;
    String before = "the header";
    for (TensorInfo tensor : tensors) {
      if (tensor.begin() != at) {
        throw problem(
            file,
            tensor.name(),
            "data_offsets",
            "begins at byte "
                + tensor.begin()
                + (tensor.begin() < at ? " and overlaps " : " and leaves a hole after ")
                + before
                + ", expected byte "
                + at);
      }
      at = tensor.end();
      before = "tensor '" + InputException.quote(tensor.name()) + "'";
    }
    if (at != dataBytes) {
      throw new InputException(
          file
              + ": "
              + dataBytes
              + " bytes of data, the header describes "
              + at
              + (dataBytes < at ? ": the file is cut short" : ": bytes follow the last tensor"));
    }
  }

  private static InputException problem(Path file, String tensor, String field, String what) {
    return new InputException(
        file + ": tensor '" + InputException.quote(tensor) + "': " + field + " " + what);
  }

  private static String printable(String text) {
    StringBuilder out = new StringBuilder(text);
    for (int i = 0; i < out.length(); i++) {
      if (Character.isISOControl(out.charAt(i))) {
        out.setCharAt(i, '\uFFFD');
      }
    }
    return out.toString();
  }

  /** Walks the JSON tokens. */
  private static final class Reader {
    private final Path file;
    private final JsonParser json;
    private Map<String, String> metadata = Map.of();
    private final List<TensorInfo> tensors = new ArrayList<>();

    Reader(Path file, JsonParser json) {
      this.file = file;
      this.json = json;
    }

    SafetensorsHeader read() throws IOException {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        if (json.nextToken() != JsonToken.START_OBJECT) {
          throw problem(file, name, "entry", "is " + found() + ", expected an object");
        }
        if (name.equals(METADATA)) {
          metadata = readMetadata();
        } else {
          tensors.add(readTensor(name));
        }
      }
      if (json.nextToken() != null) {
        throw new InputException(file + ": header goes on after its JSON object");
      }
      tensors.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
      return new SafetensorsHeader(metadata, tensors);
    }

    private Map<String, String> readMetadata() throws IOException {
      Map<String, String> entries = new LinkedHashMap<>();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw new InputException(
              file
                  + ": "
                  + METADATA
                  + " '"
                  + InputException.quote(key)
                  + "': "
                  + found()
                  + ", expected a string");
        }
        entries.put(key, json.getText());
      }
      return entries;
    }

    private TensorInfo readTensor(String name) throws IOException {
      DType dtype = null;
      long[] shape = null;
      long[] offsets = null;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String field = json.currentName();
        json.nextToken();
        switch (field) {
          case "dtype" -> dtype = readType(name);
          case "shape" -> shape = readNumbers(name, field);
          case "data_offsets" -> offsets = readNumbers(name, field);
          default ->
              throw problem(
                  file,
                  name,
                  "field",
                  "'"
                      + InputException.quote(field)
                      + "', expected dtype, shape and data_offsets only");
        }
      }
      if (dtype == null || shape == null || offsets == null) {
        String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
        throw problem(file, name, missing, "is missing");
      }
      return check(name, dtype, shape, offsets);
    }

    private TensorInfo check(String name, DType dtype, long[] sizes, long[] offsets) {
      if (offsets.length != 2 || offsets[1] < offsets[0]) {
        throw problem(
            file, name, "data_offsets", "are " + show(offsets) + ", expected [begin, end]");
      }
      long bytes = 0;
      Shape shape = null;
      try {
        shape = Shape.of(sizes);
        bytes = Math.multiplyExact(shape.elements(), dtype.bytes());
      } catch (ArithmeticException | IllegalArgumentException e) {
        throw problem(file, name, "shape", show(sizes) + " is too large");
      }
      if (bytes != offsets[1] - offsets[0]) {
        throw problem(
            file,
            name,
            "data_offsets",
            show(offsets)
                + " hold "
                + (offsets[1] - offsets[0])
                + " bytes, shape "
                + show(sizes)
                + " of "
                + dtype
                + " takes "
                + bytes);
      }
      return new TensorInfo(name, dtype, shape, offsets[0], offsets[1]);
    }

    private DType readType(String name) throws IOException {
      if (json.currentToken() == JsonToken.VALUE_STRING) {
        for (DType dtype : DType.values()) {
          if (dtype.name().equals(json.getText())) {
            return dtype;
          }
        }
      }
      throw problem(file, name, "dtype", "is " + found() + ", expected F32, F64, BF16, I32 or I64");
    }

    private long[] readNumbers(String name, String field) throws IOException {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw problem(file, name, field, "is " + found() + ", expected a list of whole numbers");
      }
      List<Long> values = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        boolean fits =
            json.currentToken() == JsonToken.VALUE_NUMBER_INT
                && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER
                && json.getLongValue() >= 0;
        if (!fits) {
          throw problem(
              file, name, field, "has " + found() + ", expected whole numbers from 0 to 2^63 - 1");
        }
        values.add(json.getLongValue());
      }
      return values.stream().mapToLong(Long::longValue).toArray();
    }

    private String found() throws IOException {
      JsonToken token = json.currentToken();
      if (token == null) {
        return "nothing";
      }
      if (token == JsonToken.START_OBJECT) {
        return "an object";
      }
      return token == JsonToken.START_ARRAY ? "a list" : InputException.quote(json.getText());
    }

    private static String show(long[] values) {
      StringBuilder out = new StringBuilder("[");
      for (int i = 0; i < values.length && i < 8; i++) {
        out.append(i == 0 ? "" : ", ").append(values[i]);
      }
      return out.append(values.length > 8 ? ", ...]" : "]").toString();
    }
  }
}
