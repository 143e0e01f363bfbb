/**
 * Tensors from files that PyTorch's {@code torch.save} wrote, without running anything that a file
 * names.
 */
package autosparse.costmodel.pytorch;
