/** The networks: pattern towers, the ranking head, WACO's original, the features baseline. */
package autosparse.costmodel.network;
