// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample for drivers whose device does DMA to memory of a program's choice:
 * ask physbuf whether the program owns it, keep it while the device is at it,
 * tell the program when it is done. The device is QEMU's "edu".
 *
 * Its addresses are for devices that see memory as it is; of one behind an
 * IOMMU, physbuf says so.
 */

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/physbuf.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "physbuf_edu.h"

#define EDU_BAR			0
#define EDU_IRQ_STATUS		0x24
#define EDU_IRQ_ACKNOWLEDGE	0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_COMMAND_START	BIT(0)
#define EDU_COMMAND_TO_MEMORY	BIT(1)
#define EDU_COMMAND_INTERRUPT	BIT(2)
#define EDU_IRQ_DMA		BIT(8)

/*
 * Where the device sees its own buffer of 4096 bytes. QEMU before 8.0 aborts
 * on a transfer that takes the last one, so PHYSBUF_EDU_SIZE leaves it out.
 */
#define EDU_BUFFER		0x40000

/* A transfer takes a tenth of a second. */
#define EDU_TIMEOUT		(5 * HZ)

/**
 * struct edu - a device; it outlives its removal while a file is open
 * @references: one of the driver, one of each open file
 * @misc: the character device /dev/physbuf_edu
 * @pdev: the PCI device; good while @broken is 0
 * @registers: likewise
 * @transferred: the interrupt came
 * @lock: one transfer at a time, and none after removal
 * @broken: why there can be no transfer any more, an errno; 0 when all is well
 */
struct edu {
	struct kref references;
	struct miscdevice misc;
	struct pci_dev *pdev;
	void __iomem *registers;
	struct completion transferred;
	struct mutex lock; /* held over a transfer */
	int broken;
};

static void edu_free(struct kref *references)
{
	kfree(container_of(references, struct edu, references));
}

static void edu_put(void *edu)
{
	kref_put(&((struct edu *)edu)->references, edu_free);
}

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 status = readl(edu->registers + EDU_IRQ_STATUS);

	if (!(status & EDU_IRQ_DMA))
		return IRQ_NONE;
	writel(status, edu->registers + EDU_IRQ_ACKNOWLEDGE);
	complete(&edu->transferred);
	return IRQ_HANDLED;
}

static int edu_run(struct edu *edu, const struct physbuf_edu_transfer *transfer)
{
	bool to_memory = transfer->flags & PHYSBUF_EDU_TO_MEMORY;
	u32 memory = transfer->address;
	u32 device = EDU_BUFFER + transfer->offset;
	u32 command = EDU_COMMAND_START | EDU_COMMAND_INTERRUPT;

	if (to_memory)
		command |= EDU_COMMAND_TO_MEMORY;

	reinit_completion(&edu->transferred);
	writel(to_memory ? device : memory, edu->registers + EDU_DMA_SOURCE);
	writel(to_memory ? memory : device,
	       edu->registers + EDU_DMA_DESTINATION);
	writel(transfer->length, edu->registers + EDU_DMA_COUNT);
	writel(command, edu->registers + EDU_DMA_COMMAND);

	/*
	 * The caller frees the memory when this returns: a signal must not end
	 * the wait, and a silent device must lose its way to memory first.
	 */
	if (wait_for_completion_timeout(&edu->transferred, EDU_TIMEOUT))
		return 0;
	pci_clear_master(edu->pdev);
	dev_err(&edu->pdev->dev,
		"no interrupt from a transfer; unbind and bind the driver\n");
	return -EIO;
}

static int edu_transfer(struct edu *edu,
			const struct physbuf_edu_transfer *transfer)
{
	struct physbuf_dma *dma;
	int err;

	if (transfer->flags & ~PHYSBUF_EDU_TO_MEMORY)
		return -EINVAL;
	if (!transfer->length || transfer->length > PHYSBUF_EDU_SIZE ||
	    transfer->offset > PHYSBUF_EDU_SIZE - transfer->length)
		return -EINVAL;
	/* The device knows 32 bits of an address. */
	if (transfer->address > U32_MAX - transfer->length)
		return -ERANGE;

	dma = physbuf_dma_get(&edu->pdev->dev, transfer->fd, transfer->address,
			      transfer->length);
	if (IS_ERR(dma))
		return PTR_ERR(dma);

	mutex_lock(&edu->lock);
	if (!edu->broken)
		edu->broken = edu_run(edu, transfer);
	err = edu->broken;
	mutex_unlock(&edu->lock);

	if (!err)
		physbuf_dma_ring(dma);
	physbuf_dma_put(dma);
	return err;
}

/* Never runs together with misc_deregister(). */
static int edu_open(struct inode *inode, struct file *file)
{
	struct edu *edu = container_of(file->private_data, struct edu, misc);

	kref_get(&edu->references);
	file->private_data = edu;
	return 0;
}

static int edu_release(struct inode *inode, struct file *file)
{
	edu_put(file->private_data);
	return 0;
}

static long edu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct physbuf_edu_transfer transfer;

	if (cmd != PHYSBUF_EDU_TRANSFER)
		return -ENOTTY;
	if (copy_from_user(&transfer, (void __user *)arg, sizeof(transfer)))
		return -EFAULT;
	return edu_transfer(file->private_data, &transfer);
}

static const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_release,
	.unlocked_ioctl = edu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int err;

	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	kref_init(&edu->references);
	mutex_init(&edu->lock);
	init_completion(&edu->transferred);
	edu->pdev = pdev;
	err = devm_add_action_or_reset(&pdev->dev, edu_put, edu);
	if (err)
		return err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	edu->registers = devm_ioremap_resource(&pdev->dev,
					       &pdev->resource[EDU_BAR]);
	if (IS_ERR(edu->registers))
		return PTR_ERR(edu->registers);

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		return err;
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0)
		return err;
	err = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0),
			       edu_interrupt, IRQF_SHARED, "physbuf_edu", edu);
	if (err)
		return err;

	edu->misc.minor = MISC_DYNAMIC_MINOR;
	edu->misc.name = "physbuf_edu";
	edu->misc.fops = &edu_fops;
	edu->misc.parent = &pdev->dev;
	err = misc_register(&edu->misc);
	if (err)
		return err;
	pci_set_drvdata(pdev, edu);
	return 0;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	misc_deregister(&edu->misc);
	mutex_lock(&edu->lock);
	edu->broken = -ENODEV;
	mutex_unlock(&edu->lock);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "physbuf_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Sample: a device that does DMA to physbuf's buffers");
MODULE_AUTHOR("The physbuf authors");
MODULE_LICENSE("GPL");
