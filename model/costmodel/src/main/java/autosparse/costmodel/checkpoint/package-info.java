/**
 * Weights and training state on disk: safetensors files, written so that a crash or a full disk
 * never costs an older file.
 */
package autosparse.costmodel.checkpoint;
